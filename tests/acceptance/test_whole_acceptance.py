"""The whole acceptance on this machine: every step passes, and the evidence says what it should and no more."""

from __future__ import annotations

import getpass
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acceptance import scanning
from acceptance.acceptances import evidence, finish, outcomes, servers_apart, start, temporary_folder
from doctor.test_simulation import OTHER_NAMES

from lakectl.ops.acceptance import story
from lakectl.ops.acceptance.actions import ALSO, FOR_CHECKS
from lakectl.ops.doctor import simulation

# It is six job runs: minutes, and more on a machine that does other things, too.
pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]
# Of Athena's own doing with the caller's permissions; and asked for beside another action.
BESIDE = {"s3:GetBucketLocation", "glue:GetPartitions"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, dict[str, Any], str, Path, Path]]:
    """Exit code, output, evidence, its text, its folder, and a temporary one. As a user has it, but watched for 3 s."""
    folder = tmp_path_factory.mktemp("acceptance")
    with temporary_folder() as temporary:
        process = start(folder, "--observe", "3", temporary=temporary)
        output = finish(process)
        found, text = evidence(folder)
        yield process.returncode, output, found, text, folder, temporary


def test_every_step_passes(whole: Any) -> None:
    code, output, found, *_ = whole
    assert outcomes(found) == {step.name: "ok" for step in (*story.BEFORE, *story.STORY, *story.ENDING)}, output
    assert code == 0
    assert "All 21 steps passed, 1 answers differ from the contract table, 0 left." in output
    assert found["outcome"] == "passed"


def test_nothing_is_left_of_its_server_and_the_user_s_own_was_not_touched(whole: Any) -> None:
    *_, folder, temporary = whole
    assert list(temporary.iterdir()) == []
    assert not (folder / "state/lakectl/local").exists()


def test_the_evidence_holds_what_a_reader_needs(whole: Any) -> None:
    found = whole[2]
    steps = {step["name"]: step for step in found["steps"]}
    assert {"lakectl", "boto3", "glue", "spark", "iceberg", "athena", "lambda", "system"} <= found["versions"].keys()
    assert found["where"] == {"endpoint": "the local AWS", "region": "eu-west-1", "billed": False}
    assert found["cost"]["runs"] == 6
    assert 0 < found["cost"]["queries"] <= 400
    assert all(step["seconds"] > 0 and step["started_at"] for step in found["steps"])
    assert {each["answer"] for each in steps["up"]["calls"]["requests"]} >= {"ok"}
    assert all(each["request_id"] for each in steps["land"]["calls"]["requests"] if each["answer"] == "ok")
    (difference,) = found["differences"]
    assert difference["row"] == "queue-again-within-60-seconds"
    assert difference["known"]
    assert len(steps["contract"]["facts"]["unsourced"]) == 26
    assert len(steps["drift"]["facts"]["drifts"]) == 17
    assert "31/09/2025" in steps["bad-file"]["detail"]


def test_the_evidence_holds_no_account_key_user_or_folder(whole: Any) -> None:
    *_, text, folder, temporary = whole
    assert scanning.found(text, [str(folder), str(temporary), *({getpass.getuser()} - {"root"})]) == []


def test_what_the_story_calls_is_what_the_simulation_asks_for(whole: Any) -> None:
    found = whole[2]
    called = {
        operation.replace(" ", ":")
        for step in found["steps"]
        if step["name"] != "contract"
        for operation in step["calls"]["by_operation"]
    }
    done = {OTHER_NAMES.get(each, each) for each in called} - FOR_CHECKS
    done = {{"s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration"}.get(each, each) for each in done}
    also = {action for actions in ALSO.values() for action in actions}
    asked = {action for actions in simulation.ACTIONS.values() for action in actions} | also
    assert done - asked == set()
    assert also - done == BESIDE
    assert ALSO.keys() <= simulation.ACTIONS.keys()


def test_ctrl_c_in_the_middle_of_a_run_ends_the_server_too(tmp_path: Path) -> None:
    """Run, lake and server are gone; what was seen by then is written."""
    with temporary_folder() as temporary:
        _interrupted(tmp_path, temporary)
        assert servers_apart(temporary) == []


def _interrupted(tmp_path: Path, temporary: Path) -> None:
    process = start(tmp_path, "--observe", "0", temporary=temporary)
    file = tmp_path / "out/evidence.json"
    deadline = time.monotonic() + 300
    while not (file.exists() and '"name": "land"' in file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    output = finish(process, 120)
    assert process.returncode == 130, output
    found = outcomes(evidence(tmp_path)[0])
    assert found | {"event-run": "interrupted", "validate": "skipped", "nothing-left": "ok"} == found, output
