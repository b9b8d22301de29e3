"""The order of `down`, what it denies meanwhile, and an `up` after a `down` that was cut short."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lakes import bring_up

from lakectl.engine.apply import apply
from lakectl.engine.model import Action, Plan
from lakectl.ops import provision
from lakectl.ops.lake import Lake

SERVICES = ("s3", "glue", "events", "lambda")
THEIRS = "theirs"


@contextmanager
def calls_of(lake: Lake) -> Iterator[list[tuple[str, Any]]]:
    """The operations that are called meanwhile, in order, with their bodies or paths."""
    seen: list[tuple[str, Any]] = []

    def note(model: Any, params: Any, **_: Any) -> None:
        seen.append((model.name, params["body"] if model.name == "PutBucketPolicy" else params["url_path"]))

    for service in SERVICES:
        lake.client(service).meta.events.register("before-call", note, unique_id="order")
    try:
        yield seen
    finally:
        for service in SERVICES:
            lake.client(service).meta.events.unregister("before-call", note, unique_id="order")


def add_foreign_statement(lake: Lake, bucket: str) -> None:
    s3 = lake.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    theirs = {"Sid": THEIRS, "Effect": "Allow", "Principal": {"AWS": lake.names.account}, "Action": "s3:GetObject"}
    policy["Statement"].append({**theirs, "Resource": f"arn:aws:s3:::{bucket}/*"})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def test_down_denies_writes_after_the_writers_are_gone_and_before_it_deletes_data(empty_lake: Lake) -> None:
    bring_up(empty_lake)
    raw = empty_lake.names.raw_bucket
    empty_lake.client("s3").put_object(Bucket=raw, Key="retail/x/1", Body=b"1")
    add_foreign_statement(empty_lake, raw)
    with calls_of(empty_lake) as seen:
        result, left = provision.down(empty_lake, provision.down_plan(empty_lake), lambda _: None)
    assert result.ok
    assert left.pending == ()
    names = [name for name, _ in seen]
    denied = [place for place, name in enumerate(names) if name == "PutBucketPolicy"]
    assert len(denied) == 3
    stopped = [place for place, name in enumerate(names) if name in ("DeleteRule", "DeleteJob")]
    stopped.append(names.index("PutBucketNotificationConfiguration"))
    assert max(stopped) < min(denied)
    assert max(denied) < min(names.index("DeleteObjects"), names.index("DeleteDatabase"), names.index("DeleteBucket"))
    statements = [[each["Sid"] for each in json.loads(seen[place][1])["Statement"]] for place in denied]
    assert all("lakectl-deny-writes" in sids and "lakectl-tls-only" in sids for sids in statements)
    assert [THEIRS in sids for sids in statements].count(True) == 1


def test_a_down_that_keeps_data_denies_nothing(empty_lake: Lake) -> None:
    bring_up(empty_lake)
    with calls_of(empty_lake) as seen:
        result, left = provision.down(empty_lake, provision.down_plan(empty_lake, True), lambda _: None, True)
    assert result.ok
    assert left.pending == ()
    assert "PutBucketPolicy" not in [name for name, _ in seen]
    bring_up(empty_lake)
    assert provision.plan(empty_lake).pending == ()


def test_up_lifts_the_denial_of_a_down_that_was_cut_short(empty_lake: Lake) -> None:
    bring_up(empty_lake)
    s3, raw = empty_lake.client("s3"), empty_lake.names.raw_bucket
    s3.put_object(Bucket=raw, Key="retail/x/1", Body=b"1")
    add_foreign_statement(empty_lake, raw)
    whole = provision.down_plan(empty_lake)
    first = Plan(tuple(step for step in whole.steps if step.resource.kind == "write-access"), deleting=True)
    assert len(first.pending) == 3
    assert apply(first, empty_lake.aws).ok
    assert {s.resource.kind for s in whole.pending} - {
        s.resource.kind for s in provision.down_plan(empty_lake).pending
    } == {"write-access"}

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=raw, Key="retail/x/2", Body=b"2")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.create_multipart_upload(Bucket=raw, Key="retail/x/3")
    s3.delete_object(Bucket=raw, Key="retail/x/1")

    plan = provision.plan(empty_lake)
    assert {step.resource.kind for step in plan.pending} == {"s3-bucket"}
    assert {(step.action, change.field) for step in plan.pending for change in step.changes} == {
        (Action.CHANGE, "policy")
    }
    bring_up(empty_lake)
    assert provision.plan(empty_lake).pending == ()
    s3.put_object(Bucket=raw, Key="retail/x/2", Body=b"2")
    sids = [each["Sid"] for each in json.loads(s3.get_bucket_policy(Bucket=raw)["Policy"])["Statement"]]
    assert THEIRS in sids
    assert "lakectl-deny-writes" not in sids


def test_what_was_still_being_written_while_the_bucket_was_emptied_is_deleted_too(empty_lake: Lake) -> None:
    bucket = next(r for r in empty_lake.resources if r.kind == "s3-bucket")
    bucket.create(empty_lake.aws)
    s3, late = empty_lake.client("s3"), ["a", "b"]

    def write(**_: Any) -> None:
        if late:
            s3.put_object(Bucket=bucket.name, Key=late.pop(), Body=b"1")

    s3.meta.events.register("before-call.s3.DeleteBucket", write, unique_id="late")
    try:
        bucket.destroy(empty_lake.aws)
    finally:
        s3.meta.events.unregister("before-call.s3.DeleteBucket", write, unique_id="late")
    assert late == []
    assert bucket.read(empty_lake.aws) is None
