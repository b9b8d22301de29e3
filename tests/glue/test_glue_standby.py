"""A run in a standby can't be told from another one. The standbys here are real processes, but without a JVM."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lakectl.local import confinement, glue_flags, glue_launch, processes
from lakectl.local.glue_launch import Launch, RunSpec
from lakectl.local.glue_runtime import JobRun

SCRIPT = "s3://scripts/jobs/job.py"
ROLE = "arn:aws:iam::123456789012:role/job"
CHILD = """
import sys
sys.path[0] = {folder!r}
import glue_standby_child as child
child.warm_up = child.hand_over_gateway = child.set_java_environment = lambda *_: type("Gateway", (), {{"jvm": None}})
import json.tool
child.main()
"""


@pytest.fixture
def standby(glue: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """``standby.warm()`` has one ready; ``standby.start(script)`` starts a Spark run without Spark."""
    child = tmp_path / "child.py"
    child.write_text(CHILD.format(folder=str(Path(glue_launch.__file__).parent)))

    def prepare(context: Any, spec: RunSpec, work_dir: Path, _flags: object) -> Launch:
        policy = confinement.policy(context.state_dir, read=[child], write=[work_dir])
        return Launch([str(child)], glue_launch.run_environ(context, spec, work_dir), policy)

    monkeypatch.setattr(glue_launch, "prepare_standby", prepare)
    monkeypatch.setattr(glue_launch, "_spark_launch", lambda _context, _spec, _dir, launch, *_, **__: launch)
    monkeypatch.setattr(glue_flags, "holds_at_most", lambda *_: True)
    monkeypatch.setattr("lakectl.local.glue_standby.LOOK_SECONDS", 0.02)
    standbys = glue.runtime._standbys
    standbys.enabled = True

    def spec(**changes: Any) -> RunSpec:
        return RunSpec("job", "eu-west-1", "glueetl", SCRIPT, role=ROLE, **changes)

    def warm(**changes: Any) -> Any:
        standbys.prepare(spec(**changes), 0)
        glue.wait_until(lambda: standbys._standby.ready)
        return standbys._standby

    def start(script: str, **changes: Any) -> JobRun:
        glue.context.s3.objects["scripts", "jobs/job.py"] = script.encode()
        return glue.runtime.start(spec(**changes), glue.history)

    return SimpleNamespace(warm=warm, start=start, standbys=standbys)


def pid(one: Any) -> int:
    return int(one._process._process.pid)


SHOW = """
import json, os, sys
seen = [os.getpid(), sys.argv, os.getcwd(), dict(os.environ), sys.path, sorted(sys.modules), __name__, __file__]
print(json.dumps(seen))
"""


def test_a_run_finds_what_it_would_find_without_a_standby(glue: SimpleNamespace, standby: SimpleNamespace) -> None:
    cold = glue.wait(standby.start(SHOW, arguments={"--X": "1"}))
    one = standby.warm()
    warm = glue.wait(standby.start(SHOW, arguments={"--X": "1"}))
    assert (cold.state, warm.state) == ("SUCCEEDED", "SUCCEEDED"), warm.error
    assert warm.job_run_id == one.job_run_id
    seen, expected = (json.loads(glue.output(run)[0].replace(run.job_run_id, "RUN")) for run in (warm, cold))
    assert seen[0] == pid(one)
    assert seen[1:3] == expected[1:3]
    assert seen[3] == expected[3]
    assert seen[4] == expected[4]
    assert not {name for name in seen[5] if name in ("glue_rehearsal", "java", "jars")}
    assert seen[6:] == expected[6:]


@pytest.mark.parametrize(
    ("script", "state", "error"),
    [
        ("import sys; sys.exit(0)", "SUCCEEDED", ""),
        ("import sys; sys.exit(3)", "FAILED", "SystemExit: 3"),
        ("import sys; sys.exit('no rows')", "FAILED", "SystemExit: no rows"),
        ("def f():\n    raise RuntimeError('no header')\nf()", "FAILED", "RuntimeError: no header"),
        ("x = (", "FAILED", "SyntaxError: '(' was never closed"),
        ("import os; os.kill(os.getpid(), 9)", "FAILED", "Command failed with exit code 137"),
    ],
)
def test_a_run_ends_as_it_would_without_a_standby(
    glue: SimpleNamespace, standby: SimpleNamespace, script: str, state: str, error: str
) -> None:
    cold = glue.wait(standby.start(script))
    standby.warm()
    warm = glue.wait(standby.start(script))
    assert (warm.state, warm.error) == (cold.state, cold.error) == (state, error)
    lines = [[line.replace(run.job_run_id, "RUN") for line in glue.output(run, "error")] for run in (cold, warm)]
    assert lines[0] == lines[1], "also the traceback is the same"


def test_what_a_standby_said_before_its_run_is_not_the_run_s(glue: SimpleNamespace, standby: SimpleNamespace) -> None:
    standby.warm()
    run = glue.wait(standby.start("print('mine')"))
    assert glue.output(run) == ["mine"]


def test_a_run_in_a_standby_can_be_stopped(glue: SimpleNamespace, standby: SimpleNamespace) -> None:
    one = standby.warm()
    run = standby.start("import time; print('up', flush=True); time.sleep(60)")
    glue.wait_until(lambda: glue.context.logs.streams.get(("/aws-glue/jobs/output", run.job_run_id)))
    glue.runtime.stop(run)
    assert glue.wait(run).state == "STOPPED"
    glue.wait_until(lambda: not processes.alive(pid(one)))


@pytest.mark.parametrize(
    "changes",
    [
        {"worker_type": "G.2X"},
        {"arguments": {"--conf": "spark.x=1"}},
        {"arguments": {"--datalake-formats": "iceberg"}},
    ],
)
def test_a_run_with_other_settings_starts_cold_and_the_standby_ends(
    glue: SimpleNamespace, standby: SimpleNamespace, changes: dict[str, Any]
) -> None:
    one = standby.warm()
    run = glue.wait(standby.start("", **changes))
    assert run.state == "SUCCEEDED", run.error
    assert run.job_run_id != one.job_run_id
    glue.wait_until(lambda: not processes.alive(pid(one)))


def test_a_run_that_may_read_much_starts_cold_with_flags_of_its_own(
    glue: SimpleNamespace, standby: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = standby.warm()
    monkeypatch.setattr(glue_flags, "holds_at_most", lambda _s3, _spec, most: most > glue_flags.STANDBY_BYTES)
    run = glue.wait(standby.start(""))
    assert run.state == "SUCCEEDED", run.error
    assert run.job_run_id != one.job_run_id
    glue.wait_until(lambda: not processes.alive(pid(one)))


def test_a_standby_that_has_died_costs_nothing_but_its_time(glue: SimpleNamespace, standby: SimpleNamespace) -> None:
    one = standby.warm()
    one._process.kill()
    glue.wait_until(lambda: not one._process.alive())
    run = glue.wait(standby.start("print('ran')"))
    assert (run.state, glue.output(run)) == ("SUCCEEDED", ["ran"])


def test_a_module_that_the_run_brings_wins_over_one_that_is_loaded(
    glue: SimpleNamespace, standby: SimpleNamespace
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("json/__init__.py", "NAME = 'from the zip'")
    glue.context.s3.objects["scripts", "lib/own.zip"] = buffer.getvalue()
    standby.warm()
    script = "import json; print(getattr(json, 'NAME', 'the standard one'))"
    run = glue.wait(standby.start(script, arguments={"--extra-py-files": "s3://scripts/lib/own.zip"}))
    assert glue.output(run) == ["from the zip"]


def test_after_a_run_another_standby_is_made_and_it_ends_with_the_server(
    glue: SimpleNamespace, standby: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakectl.local.glue_runtime.STANDBY_AFTER_RUN", 0)
    glue.wait(standby.start(""))
    glue.wait_until(lambda: standby.standbys._standby is not None and standby.standbys._standby.ready)
    one = standby.standbys._standby
    glue.runtime.shut_down()
    glue.wait_until(lambda: not processes.alive(pid(one)))


def test_an_idle_standby_ends(glue: SimpleNamespace, standby: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    one = standby.warm()
    monkeypatch.setattr("lakectl.local.glue_standby.IDLE_SECONDS", 0)
    glue.wait_until(lambda: not processes.alive(pid(one)))
    assert one.ended


def test_no_standby_is_made_without_memory(standby: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakectl.local.glue_standby.free_memory_mb", lambda: 100)
    standby.standbys.prepare(RunSpec("job", "eu-west-1", "glueetl", SCRIPT), 0)
    assert standby.standbys._standby is None
