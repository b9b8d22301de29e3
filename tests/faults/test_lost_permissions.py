"""Statements of a function's policy that Lambda acknowledges and does not keep."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_lakes import Subject, connect
from lost_permissions import LosingPermissions
from recording_proxy import Proxy

from lakectl.engine.apply import Result
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.resources.permission import Permissions


def up(subject: Subject, endpoint: Endpoint, proxy: Proxy) -> Result:
    lake = subject.lake(connect(endpoint, proxy.url))
    return provision.up(lake, provision.plan(lake), lambda _: None)


def test_permissions_of_one_function_are_added_one_after_the_other(
    subject: Subject, endpoint: Endpoint, proxy: Proxy
) -> None:
    """Item 24: of permissions that are added to a function in parallel, AWS keeps some."""
    lambda_keeps = LosingPermissions(proxy)
    assert up(subject, endpoint, proxy).ok
    assert lambda_keeps.lost == []
    subject.assert_complete()


def test_a_permission_that_was_acknowledged_and_lost_is_added_again(
    subject: Subject, endpoint: Endpoint, proxy: Proxy
) -> None:
    """Item 24: the policy is read back, and what is missing is added again."""
    lambda_keeps = LosingPermissions(proxy, always=3)
    assert up(subject, endpoint, proxy).ok
    assert len(lambda_keeps.lost) == 3
    subject.assert_complete()


@pytest.mark.long
def test_two_up_at_once_lose_no_permission(subject: Subject, endpoint: Endpoint, proxy: Proxy) -> None:
    """Item 24: another `up`, which no order of ours holds back, adds to the same function."""
    LosingPermissions(proxy)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: up(subject, endpoint, proxy), range(2)))
    assert [result.failed for result in results] == [{}, {}]
    subject.assert_complete()


def test_a_permission_that_is_never_kept_ends_in_an_error(
    subject: Subject, endpoint: Endpoint, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 24: bounded, with the resource's name and what to do."""
    monkeypatch.setattr(Permissions, "reads_back_s", 1.0)
    LosingPermissions(proxy, always=1000)
    result = up(subject, endpoint, proxy)
    lake = subject.lake()
    assert set(result.failed) == {
        f"lambda-permission/{name}" for name in (lake.names.log_function, lake.names.start_function)
    }
    for error in result.failed.values():
        assert "acknowledged it and did not keep it" in error.message
        assert error.hint == "run `lakectl up` again"
    proxy.before = lambda _: None
    subject.assert_converges_up()
