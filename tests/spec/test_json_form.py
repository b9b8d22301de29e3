"""The specification as JSON: nothing is lost, and the job reads it without what only the command line has."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from spec.strategies import lake_specs, plain_lakes, spec_of

from lakectl.config import default_spec
from lakectl.spec import json_form
from lakectl.spec.model import LakeSpec


@settings(max_examples=60, deadline=None)
@given(lake_specs())
def test_any_specification_comes_back_as_it_was(spec: LakeSpec) -> None:
    text = json_form.to_json(spec)
    back = json_form.from_json(text)
    assert back == spec
    assert json_form.to_json(back) == text
    assert list(back.sources) == list(spec.sources)
    for name in spec.loading_order:
        assert back.silver_columns(name) == spec.silver_columns(name)


@settings(max_examples=20, deadline=None)
@given(plain_lakes())
def test_the_same_yaml_gives_the_same_text(plain: dict[str, object]) -> None:
    assert json_form.to_json(spec_of(plain)) == json_form.to_json(spec_of(plain))


def test_defaults_are_written_so_that_a_later_default_changes_nothing() -> None:
    orders = json.loads(json_form.to_json(default_spec()))["sources"][2]
    assert orders["file"]["delimiter"] == ","
    assert orders["policies"]["dates"] == "fail"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "the specification is not JSON"),
        ("[]", "the specification has version None; this program reads version 1"),
        ('{"version": 2}', "the specification has version 2; this program reads version 1"),
    ],
)
def test_what_is_no_specification_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        json_form.from_json(text)


def test_a_key_or_a_word_of_a_newer_program_is_refused() -> None:
    written = json.loads(json_form.to_json(default_spec()))
    written["sources"][0]["colour"] = "red"
    with pytest.raises(ValueError, match="unknown keys: colour"):
        json_form.from_json(json.dumps(written))
    del written["sources"][0]["colour"]
    written["sources"][0]["loading"] = "merge"
    with pytest.raises(ValueError, match="'merge', expected one of upsert, snapshot, append"):
        json_form.from_json(json.dumps(written))


def test_the_job_and_the_functions_read_it_with_the_standard_library_alone() -> None:
    program = (
        "import sys\n"
        "from lakectl.spec.json_form import from_json\n"
        "from lakectl.spec.model import LakeSpec\n"
        "spec = from_json(sys.stdin.read())\n"
        "print(*spec.loading_order)\n"
        "extra = {'yaml', 'pydantic', 'sqlglot', 'boto3', 'click', 'pyspark'} & set(sys.modules)\n"
        "sys.exit(f'imported: {extra}' if extra else 0)\n"
    )
    text = json_form.to_json(default_spec())
    ended = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "customers products orders"), ended.stderr
