"""A whole lake on the local endpoint, for tests of what `up` and `down` do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lakes import bring_up, open_test_lake, tear_down

from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake


@pytest.fixture
def empty_lake(endpoint: Endpoint) -> Iterator[Lake]:
    """A lake of which nothing exists yet; what a test makes of it is deleted afterwards."""
    lake = open_test_lake(endpoint)
    yield lake
    tear_down(lake)


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    """A complete lake that the tests of a module share. Each leaves it complete."""
    lake = open_test_lake(endpoint)
    bring_up(lake)
    yield lake
    tear_down(lake)
