"""Up, up again, drift, deletion behind our back, down, down again."""

from __future__ import annotations

import pytest
from lakes import bring_up, tear_down

from lakectl import lake as definition
from lakectl import project
from lakectl.config import Config
from lakectl.engine.model import Action
from lakectl.naming import Names
from lakectl.ops import provision
from lakectl.ops.lake import Lake

ALL = definition.resources(Names(Config(name="x", suffix_names=True), "123456789012", "eu-west-1"), project.find())
TAGGED = [r for r in ALL if r.tags]


def test_up_then_plan_is_empty(lake: Lake) -> None:
    plan = provision.plan(lake)
    assert [(step.resource.id, step.changes) for step in plan.pending] == []
    assert {step.action for step in plan.steps} == {Action.KEEP}


def test_down_leaves_nothing_and_twice_is_nothing_to_do(empty_lake: Lake) -> None:
    bring_up(empty_lake)
    s3 = empty_lake.client("s3")
    for bucket in (empty_lake.names.raw_bucket, empty_lake.names.silver_bucket):
        for n in range(3):
            s3.put_object(Bucket=bucket, Key=f"retail/x/{n}", Body=b"1")
            s3.put_object(Bucket=bucket, Key=f"retail/x/{n}", Body=b"2")
        s3.delete_object(Bucket=bucket, Key="retail/x/0")
        s3.create_multipart_upload(Bucket=bucket, Key="retail/x/unfinished")
    tear_down(empty_lake)
    assert provision.down_plan(empty_lake).pending == ()


def test_a_single_step_makes_what_it_needs_and_no_more(empty_lake: Lake) -> None:
    plan = provision.plan(empty_lake, ("create-glue-job",))
    assert provision.up(empty_lake, plan, lambda _: None).ok
    kinds = {step.resource.kind for step in provision.down_plan(empty_lake, keep_data=True).steps if step.live}
    assert kinds == {"glue-job", "s3-object", "s3-bucket", "iam-role", "log-group", "glue-database", "dynamodb-table"}


@pytest.mark.parametrize("kind", sorted({r.kind for r in ALL}))
def test_what_is_deleted_behind_our_back_is_seen_and_restored(lake: Lake, kind: str) -> None:
    victim = next(r for r in lake.resources if r.kind == kind)
    victim.destroy(lake.aws)
    plan = provision.plan(lake)
    missing = {step.resource.id for step in plan.pending if step.action is Action.CREATE}
    assert victim.id in missing
    bring_up(lake, plan)
    assert provision.plan(lake).pending == ()


def test_what_bears_our_name_but_not_our_tag_is_left_alone(empty_lake: Lake) -> None:
    bring_up(empty_lake)
    other = provision.plan(empty_lake)
    kinds = {resource.kind for resource in TAGGED}
    victims = [step.resource for step in other.steps if step.resource.kind in kinds]
    for victim in victims:
        victim.tags = {**victim.tags, "lakectl:lake": "somebody-else"}
        victim.update(empty_lake.aws, tuple(c for c in victim.diff(victim.read(empty_lake.aws)) if c.field == "tags"))
        victim.tags = {**victim.tags, "lakectl:lake": empty_lake.config.name}
    foreign = {step.resource.id for step in provision.plan(empty_lake).foreign}
    assert foreign >= {victim.id for victim in victims}
    assert {step.resource.id for step in provision.down_plan(empty_lake).pending}.isdisjoint(foreign)
    adopting = provision.plan(empty_lake, adopt=True)
    assert provision.up(empty_lake, adopting, lambda _: None).ok
    assert provision.plan(empty_lake).pending == ()
