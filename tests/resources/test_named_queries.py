"""Saved queries and the tokens that AWS remembers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import pytest
from lakes import open_test_lake, tear_down

from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.resources.workgroup import NamedQuery


@pytest.fixture
def saved(endpoint: Endpoint) -> Iterator[tuple[Lake, NamedQuery]]:
    """A lake of which only the workgroup and its queries exist, and one of these."""
    lake = open_test_lake(endpoint)
    assert provision.up(lake, provision.plan(lake, ("create-workgroup",)), lambda _: None).ok
    yield lake, next(each for each in lake.resources if isinstance(each, NamedQuery))
    tear_down(lake)


def copies(lake: Lake, query: NamedQuery) -> int:
    live = query.read(lake.aws)
    return 0 if live is None else int(live.fields["copies"])


def test_a_query_that_was_deleted_is_made_again(saved: tuple[Lake, NamedQuery]) -> None:
    """Item 26: AWS answers a token that it knows with the deleted query, and makes none."""
    lake, query = saved
    for _ in range(2):
        query.destroy(lake.aws)
        assert copies(lake, query) == 0
        query.create(lake.aws)
        assert copies(lake, query) == 1


@pytest.mark.parametrize("parameter", ["description", "sql", "database"])
def test_a_query_of_other_parameters_is_made(saved: tuple[Lake, NamedQuery], parameter: str) -> None:
    """Item 26: AWS refuses a token that it knows with other parameters, the description among them."""
    lake, query = saved
    query.destroy(lake.aws)
    other = copy(query)
    setattr(other, parameter, "SELECT 2")
    other.create(lake.aws)
    assert copies(lake, query) == 1
    query.update(lake.aws, query.diff(other.read(lake.aws)))
    assert query.diff(query.read(lake.aws)) == ()


def test_creates_that_race_leave_one_query(saved: tuple[Lake, NamedQuery]) -> None:
    """Item 26: names are not unique, and tokens of two `up` differ; one query stays."""
    lake, query = saved
    query.destroy(lake.aws)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: query.create(lake.aws), range(4)))
    assert copies(lake, query) == 1
