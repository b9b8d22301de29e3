"""What a script finds: arguments, libraries, environment."""

from __future__ import annotations

import io
import json
import zipfile
from types import SimpleNamespace

import pytest

from lakectl.local.glue_launch import LaunchError, RunSpec, merge_arguments, prepare, script_arguments

SHOW = "import json, os, sys\nprint(json.dumps({'argv': sys.argv[1:], 'env': dict(os.environ), 'cwd': os.getcwd()}))"


def shown(glue: SimpleNamespace, script: str = SHOW, **arguments: str) -> dict:
    run = glue.start(script, arguments={f"--{key.replace('_', '-')}": value for key, value in arguments.items()})
    assert glue.wait(run).state == "SUCCEEDED", run.error
    return json.loads(glue.output(run)[0])


def test_run_arguments_replace_defaults_and_fixed_ones_replace_both() -> None:
    merged = merge_arguments({"--a": "1", "--b": "1", "--c": "1"}, {"--b": "2", "--c": "2"}, {"--c": "3"})
    assert merged == {"--a": "1", "--b": "2", "--c": "3"}
    assert merge_arguments(None, None, None) == {}


def test_glue_adds_the_job_and_the_run_to_the_arguments() -> None:
    spec = RunSpec("nightly", "eu-west-1", "glueetl", "s3://b/k", {"--X": "1", "--JOB_NAME": "mine"})
    expected = ["--X", "1", "--JOB_NAME", "nightly", "--JOB_RUN_ID", "jr_1"]
    assert script_arguments(spec, "jr_1") == expected


def test_the_script_gets_its_arguments_and_a_folder_of_its_own(glue: SimpleNamespace) -> None:
    seen = shown(glue, SILVER="s3://silver/", EMPTY="")
    run = glue.history[0]
    expected = ["--SILVER", "s3://silver/", "--EMPTY", "", "--JOB_NAME", "job", "--JOB_RUN_ID", run.job_run_id]
    assert seen["argv"] == expected
    assert seen["cwd"] == str(glue.context.state_dir / "glue" / run.job_run_id)


def test_the_script_does_not_see_the_environment_of_the_server(
    glue: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "my-company")
    assert "AWS_PROFILE" not in shown(glue)["env"]


def test_extra_py_files_can_be_imported_from_zips_and_modules(glue: SimpleNamespace) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("retail/__init__.py", "NAME = 'from the zip'")
        archive.writestr("ledger.py", "NAME = 'from its root'")
    glue.context.s3.objects["scripts", "lib/retail.zip"] = buffer.getvalue()
    glue.context.s3.objects["scripts", "lib/helper.py"] = b"NAME = 'a module'"
    script = "import json, retail, ledger, helper\nprint(json.dumps([retail.NAME, ledger.NAME, helper.NAME]))"
    locations = "s3://scripts/lib/retail.zip, s3://scripts/lib/helper.py"
    assert shown(glue, script, extra_py_files=locations) == ["from the zip", "from its root", "a module"]


@pytest.mark.parametrize(
    ("command", "arguments", "reason"),
    [
        ("glueray", {}, "not glueray"),
        ("glueetl", {"--additional-python-modules": "pandas"}, "--additional-python-modules"),
        ("pythonshell", {"--extra-py-files": "s3://scripts/"}, "s3://scripts/"),
        ("pythonshell", {"--extra-py-files": "/tmp/x.zip"}, "/tmp/x.zip"),  # noqa: S108
    ],
)
def test_what_cannot_be_done_here_is_refused(
    glue: SimpleNamespace, tmp_path: object, command: str, arguments: dict[str, str], reason: str
) -> None:
    glue.context.s3.objects["scripts", "job.py"] = b""
    spec = RunSpec("job", "eu-west-1", command, "s3://scripts/job.py", arguments)
    with pytest.raises(LaunchError, match=reason):
        prepare(glue.context, spec, "jr_1", tmp_path, ())
