"""An AWS that hands policies back in another form than they were put."""

from __future__ import annotations

import json

from fault_lakes import Subject, connect
from recording_proxy import Proxy
from rewritten_policies import rewrite

from lakectl.local.control import Endpoint
from lakectl.ops import provision


def test_rewritten_policies_are_no_drift_and_changed_ones_are(
    up_subject: Subject, endpoint: Endpoint, proxy: Proxy
) -> None:
    """Item 25: no drift from form alone; `up` and `down` work on what comes back."""
    proxy.rewrite = rewrite
    lake = up_subject.lake(connect(endpoint, proxy.url))
    plan = provision.plan(lake)
    assert [(step.resource.id, step.changes) for step in plan.pending] == []

    bucket = lake.names.raw_bucket
    policy = json.loads(lake.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"]["Action"] = "s3:PutObject"
    lake.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    plan = provision.plan(lake)
    assert [(step.resource.name, [change.field for change in step.changes]) for step in plan.pending] == [
        (bucket, ["policy"])
    ]
    assert provision.up(lake, plan, lambda _: None).ok
    assert provision.plan(lake).pending == ()
    result, left = provision.down(lake, provision.down_plan(lake), lambda _: None)
    assert result.ok
    assert left.pending == ()
