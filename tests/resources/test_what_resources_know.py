"""Each resource says what there is to say of it: ARN, why, data, cost, who writes it; and the documentation says it."""

from __future__ import annotations

import inspect
import re

import pytest
from resources.resources_page import NAMES, PAGE, RESOURCES, page

from lakectl.engine.model import Data, Resource
from lakectl.lake.policies import writers

KINDS = {type(resource) for resource in RESOURCES}


def of(name: str) -> Resource:
    return next(resource for resource in RESOURCES if resource.name == name and resource.arn)


def test_the_page_says_what_the_lakes_list_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python tests/resources/resources_page.py"


@pytest.mark.parametrize("kind", sorted(KINDS, key=lambda kind: kind.kind), ids=lambda kind: kind.kind)
def test_a_kind_says_why_and_what_it_costs(kind: type[Resource]) -> None:
    assert kind.why.endswith(".")
    assert kind.idle_cost
    # What is paid for what it holds is data or logs; alarms are asked for; the rest is free while nothing happens.
    free = kind.idle_cost.startswith("nothing")
    assert free or kind.data is Data.HELD or kind.kind in ("log-group", "cloudwatch-alarm")


def test_what_can_be_tagged_has_an_arn_of_this_account_and_its_own_name() -> None:
    for resource in RESOURCES:
        if resource.tags:
            name = resource.name.replace(".", "/") if resource.kind == "glue-table" else resource.name
            assert resource.arn.startswith("arn:aws:"), resource.id
            assert resource.arn.endswith(name), resource.id
            assert f":{NAMES.account}:" in resource.arn or resource.kind == "s3-bucket"
        else:
            assert (resource.arn, bool(resource.parent)) == ("", True), resource.id


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")]
)
def test_arns_are_of_the_regions_partition(region: str, partition: str) -> None:
    from lakectl.naming import Place
    from lakectl.resources.bucket import Bucket
    from lakectl.resources.role import Role

    place = Place("111122223333", region)
    assert Bucket.arn_of(place, "b") == f"arn:{partition}:s3:::b"
    assert Role.arn_of(place, "r") == f"arn:{partition}:iam::111122223333:role/r"


@pytest.mark.parametrize(
    "kind", sorted({type(r) for r in RESOURCES if r.tags}, key=lambda k: k.kind), ids=lambda kind: kind.kind
)
def test_a_kind_names_the_permission_to_tag(kind: type[Resource]) -> None:
    """Of all operations that it creates with. A Glue table takes no tags: they are properties."""
    methods = set(
        re.findall(
            r"\.(create_(?!table_optimizer|notification)\w+|put_rule|put_metric_alarm)\(", inspect.getsource(kind)
        )
    )
    named = {"".join(part.capitalize() for part in method.split("_")) for method in methods}
    assert (set() if kind.kind == "glue-table" else named) == kind.tagging.keys()


def test_the_documentation_names_every_permission_to_tag() -> None:
    text = (PAGE.parent / "security.md").read_text(encoding="utf-8")
    assert [permission for kind in KINDS for permission in kind.tagging.values() if permission not in text] == []


def test_only_the_job_and_optimizers_write_silver_and_nobody_of_the_lake_writes_raw() -> None:
    written = {name: writers(of(name), RESOURCES) for name in (NAMES.raw_bucket, NAMES.silver_bucket, NAMES.run_log)}
    assert written == {
        NAMES.raw_bucket: (),
        NAMES.silver_bucket: (NAMES.glue_role, NAMES.optimizer_role),
        NAMES.run_log: tuple(sorted((NAMES.log_role, NAMES.start_role, NAMES.glue_role))),
    }
    assert writers(of(NAMES.glue_job), RESOURCES) == (NAMES.start_role,)
