"""`plan --out` and `up FILE`: what was shown is done, or refused because something has changed since."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lakes import open_test_lake, tear_down
from program_process import run_program

from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake

YAML = "name: {name}\nsuffix_names: true\n"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    found = open_test_lake(endpoint)
    yield found
    tear_down(found)


@pytest.fixture(scope="module")
def folder(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the plan file of the whole lake, which is not there yet."""
    made = tmp_path_factory.mktemp("plans")
    (made / "lake.yaml").write_text(YAML.format(name=lake.config.name))
    return made


def run(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = run_program(*arguments, "-c", "lake.yaml", cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_up_does_what_the_file_says_and_once(folder: Path) -> None:
    planned = run(folder, "plan", "--out", "plan.json", code=2)
    assert "Do it with: lakectl up plan.json" in planned.stderr
    made = run(folder, "up", "plan.json")
    assert "34 created" in made.stdout
    again = run(folder, "up", "plan.json", code=1)
    assert "the account has changed since plan.json was made, so nothing was changed: " in again.stderr
    assert " and 29 more" in again.stderr
    assert "try: lakectl plan --out plan.json" in again.stderr
    # A plan without changes is one, too.
    run(folder, "plan", "--out", "plan.json")
    assert "all 34 resources are in place" in run(folder, "up", "plan.json").stdout


def test_drift_that_the_file_does_not_name_is_refused_and_left_alone(folder: Path, lake: Lake) -> None:
    function = lake.names.log_function
    functions = lake.client("lambda")
    run(folder, "plan", "--out", "plan.json")
    functions.update_function_configuration(FunctionName=function, Timeout=3)
    refused = run(folder, "up", "plan.json", code=1)
    assert f"the account has changed since plan.json was made, so nothing was changed: lambda-function/{function}" in (
        refused.stderr
    )
    assert functions.get_function(FunctionName=function)["Configuration"]["Timeout"] == 3
    run(folder, "plan", "--out", "plan.json", code=2)
    functions.update_function_configuration(FunctionName=function, Timeout=4)
    run(folder, "up", "plan.json", code=1)
    run(folder, "plan", "--out", "plan.json", code=2)
    assert "1 changed" in run(folder, "up", "plan.json").stdout
    assert functions.get_function(FunctionName=function)["Configuration"]["Timeout"] == 30


def test_another_configuration_is_refused(folder: Path, lake: Lake) -> None:
    """Also where it says the same of what is there: a changed function has the same name."""
    run(folder, "plan", "--out", "plan.json")
    written = (folder / "lake.yaml").read_text()
    (folder / "lake.yaml").write_text(written + "functions: {log_retention_days: 30}\n")
    refused = run(folder, "up", "plan.json", code=1)
    (folder / "lake.yaml").write_text(written)
    assert "the configuration has changed since plan.json was made" in refused.stderr
    assert f"log-group//aws/lambda/{lake.names.log_function}" in refused.stderr


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"lakectl": "0.0.1"}, "was made for lakectl 0.0.1, and this is "),
        ({"lake": "other"}, "was made for lake other, and this is "),
        ({"region": "us-east-1"}, "was made for region us-east-1, and this is eu-west-1"),
        ({"account": "111122223333"}, "was made for account 111122223333, and this is "),
        ({"place": "account 111122223333"}, "was made for place account 111122223333, and this is this machine"),
    ],
    ids=str,
)
def test_a_file_for_something_else_is_refused(folder: Path, changed: dict[str, str], says: str) -> None:
    from lakectl.ops.provision import plan_file

    run(folder, "plan", "--out", "plan.json")
    content: dict[str, Any] = json.loads((folder / "plan.json").read_text())
    del content["sha256"]
    content["made_for"] |= changed
    content["sha256"] = plan_file._digest(content)
    (folder / "other.json").write_text(json.dumps(content))
    refused = run(folder, "up", "other.json", code=1)
    assert says in refused.stderr


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"format": 1, "sha256": "x"}', "\x00", None])
def test_a_damaged_file_is_refused_in_one_line(folder: Path, content: str | None) -> None:
    if content is None:  # a single byte of a good one
        run(folder, "plan", "--out", "damaged.json")
        written = (folder / "damaged.json").read_text()
        content = written.replace('"action": "in place"', '"action": "delete"', 1)
        assert content != written
    (folder / "damaged.json").write_text(content)
    refused = run(folder, "up", "damaged.json", code=64)
    assert refused.stderr.splitlines()[0] == "error: damaged.json is no plan file, or damaged"


def test_what_makes_no_sense_is_refused(folder: Path) -> None:
    assert "no plan file at gone.json" in run(folder, "up", "gone.json", code=64).stderr
    assert "--out is for what `up` does" in run(folder, "plan", "--down", "--out", "p.json", code=64).stderr
    assert "takes no plan file" in run(folder, "up", "p.json", "--explain", code=64).stderr
    assert "--adopt is part of a plan file" in run(folder, "up", "p.json", "--adopt", code=64).stderr
    (folder / "there").mkdir()
    assert "can't write there" in run(folder, "plan", "--out", "there", code=64).stderr
    assert not list(folder.glob(".there*"))
