"""Every operation that is said to run is called by some test, or stands in the list of those that are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from botocore import xform_name

from lakectl.local.gate import table

ROOT = Path(__file__).parents[2]
PLACES = ("tests", "lakectl/contract", "lakectl/resources", "lakectl/ops", "lakectl/core", "jobs", "lambdas")
LIST = Path(__file__).parent / "uncalled_operations.txt"


@pytest.fixture(scope="module")
def words() -> frozenset[str]:
    files = [each for place in PLACES for each in (ROOT / place).rglob("*.py")]
    return frozenset(re.findall(r"\w+", " ".join(each.read_text(encoding="utf-8") for each in files)))


def listed() -> set[str]:
    return {line for line in LIST.read_text(encoding="utf-8").split("\n") if line and not line.startswith("#")}


def test_an_operation_that_runs_is_called_by_a_test_or_listed(words: frozenset[str]) -> None:
    uncalled = {
        f"{name} {operation}"
        for name in table.names()
        for operation in (table.service(name) or pytest.fail(name)).runs
        if xform_name(operation) not in words and operation not in words
    }
    assert sorted(uncalled - listed()) == [], "call it in a test, or list it in uncalled_operations.txt"
    assert sorted(listed() - uncalled) == [], "a test calls it now: take it out of uncalled_operations.txt"
