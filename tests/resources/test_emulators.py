"""Endpoints that answer otherwise than AWS: other words, fewer headers, tags that are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lakes import bring_up
from program_process import run_program

from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.resources.glue_job import GlueJob
from lakectl.resources.s3_object import S3Object
from lakectl.resources.workgroup import Workgroup


class Answers:
    """An AWS whose every call gives ``answer``, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def client(self, service: str) -> Any:  # noqa: ARG002
        return self

    def __getattr__(self, operation: str) -> Any:
        def call(**_: Any) -> Any:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def refusal(message: str, code: str = "InvalidRequestException") -> Any:
    return Answers(ClientError({"Error": {"Code": code, "Message": message}}, "GetWorkGroup"))


@pytest.mark.parametrize(
    "message", ["WorkGroup w is not found.", "WorkGroup w not found", "WorkGroup w was not found", "w does not exist"]
)
def test_a_workgroup_that_is_not_there_is_absent_however_it_is_said(lake: Lake, message: str) -> None:
    """Item 32: Athena has no error code for it."""
    group = next(each for each in lake.resources if isinstance(each, Workgroup))
    assert group.read(refusal(message)) is None


@pytest.mark.parametrize("aws", [refusal("WorkGroup w not found", "AccessDeniedException"), refusal("name too long")])
def test_another_refusal_is_no_absence(lake: Lake, aws: Any) -> None:
    """Item 32: only that code with those words."""
    group = next(each for each in lake.resources if isinstance(each, Workgroup))
    with pytest.raises(ClientError):
        group.read(aws)


def test_a_head_answer_without_content_length_is_no_change() -> None:
    """Item 32: the hash in the metadata decides."""
    script = S3Object("b", "k", step="s", content=b"x")
    good = {"Metadata": {"sha256": script.desired()["sha256"]}}
    assert script.diff(script.read(Answers(good))) == ()
    changed = script.diff(script.read(Answers({"Metadata": {"sha256": "other"}})))
    assert [change.field for change in changed] == ["sha256"]


@contextmanager
def dropped(lake: Lake, operation: str, parameter: str) -> Iterator[None]:
    """An endpoint that does not keep ``parameter`` of a Glue operation."""

    def drop(params: dict[str, Any], **_: Any) -> None:
        params[parameter] = {}

    events = lake.client("glue").meta.events
    events.register(f"provide-client-params.glue.{operation}", drop, unique_id=operation)
    try:
        yield
    finally:
        events.unregister(f"provide-client-params.glue.{operation}", unique_id=operation)


def test_tags_that_the_create_call_drops_are_put_afterwards(empty_lake: Lake) -> None:
    """Item 32: a job without our tag would be foreign to the next `up`."""
    with dropped(empty_lake, "CreateJob", "Tags"):
        bring_up(empty_lake)
    assert provision.plan(empty_lake).pending == ()
    assert provision.plan(empty_lake).foreign == ()


def test_tags_that_are_never_kept_are_an_error(empty_lake: Lake) -> None:
    """Item 32: said at once, and not by the next `up`."""
    with dropped(empty_lake, "CreateJob", "Tags"), dropped(empty_lake, "TagResource", "TagsToAdd"):
        result = provision.up(empty_lake, provision.plan(empty_lake, ("create-glue-job",)), lambda _: None)
    jobs = [each for each in empty_lake.resources if isinstance(each, GlueJob)]
    assert set(result.failed) == {job.id for job in jobs}
    assert all("acknowledged its tags and did not keep" in error.message for error in result.failed.values())
    for job in jobs:
        empty_lake.client("glue").tag_resource(ResourceArn=job.arn, TagsToAdd=job.tags)


def test_down_does_not_say_that_nothing_is_left_when_something_with_our_names_is(
    empty_lake: Lake, tmp_path: Path
) -> None:
    """Item 32: "0 left" with two jobs left was untrue."""
    bring_up(empty_lake)
    jobs = [each for each in empty_lake.resources if isinstance(each, GlueJob)]
    for job in jobs:
        empty_lake.client("glue").untag_resource(ResourceArn=job.arn, TagsToRemove=["lakectl:lake"])
    (tmp_path / "lake.yaml").write_text(f"name: {empty_lake.config.name}\nsuffix_names: true\n")
    for begins in ("0 of ours left; 2 with our names", "Nothing to delete; 2 with our names"):
        ended = run_program("down", "--yes", "-c", "lake.yaml", cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        said = ended.stdout.splitlines()[-1]
        assert said.startswith(begins)
        assert all(job.id in said for job in jobs)
    for job in jobs:
        empty_lake.client("glue").tag_resource(ResourceArn=job.arn, TagsToAdd=job.tags)
