"""The record of the specification that silver was last brought to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from spec.strategies import spec_of

from lakectl.config import default_spec
from lakectl.core import applied_spec
from lakectl.core.applied_spec import Record
from lakectl.core.ledger_table import LedgerTable
from lakectl.spec.model import LakeSpec

OTHER = spec_of({"sources": {"a": {"keys": ["x"], "columns": {"x": "int"}}}})


@pytest.fixture
def table(client: Callable[[str], Any]) -> Iterator[LedgerTable]:
    """A run log."""
    dynamodb, name = client("dynamodb"), f"applied_{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    yield LedgerTable(name, dynamodb)
    dynamodb.delete_table(TableName=name)


def differs(table: LedgerTable, spec: LakeSpec) -> bool:
    """What a run finds that begins now."""
    return Record(table, spec).differs


def test_the_record_gives_the_specification_back_and_says_whether_it_is_another(table: LedgerTable) -> None:
    assert applied_spec.read(table) is None
    assert not differs(table, default_spec())
    Record(table, default_spec()).write()
    assert applied_spec.read(table) == default_spec()
    assert not differs(table, default_spec())
    assert differs(table, OTHER)


def test_a_run_writes_it_in_each_of_its_rounds(table: LedgerTable) -> None:
    record = Record(table, OTHER)
    for _ in range(3):
        record.write()
    assert not differs(table, OTHER)


@pytest.mark.parametrize("had_begun", ["the old one", "the new one"])
def test_runs_with_two_specifications_beside_each_other_make_the_next_run_look_again(
    table: LedgerTable, had_begun: str
) -> None:
    """Whichever of the two ends last: rows that one wrote after the other had compared are as the one says."""
    Record(table, default_spec()).write()
    old, new = Record(table, default_spec()), Record(table, OTHER)
    first, second = (old, new) if had_begun == "the old one" else (new, old)
    first.write()
    second.write()
    assert differs(table, OTHER)
    Record(table, OTHER).write()
    assert not differs(table, OTHER)


def test_runs_with_one_specification_beside_each_other_are_no_reason_to_look_again(table: LedgerTable) -> None:
    one, two = Record(table, OTHER), Record(table, OTHER)
    one.write()
    two.write()
    one.write()
    assert not differs(table, OTHER)


def test_a_record_of_an_earlier_version_is_read_and_written(table: LedgerTable) -> None:
    Record(table, OTHER).write()
    item = {name: value for name, value in table.get("SPEC", "SILVER").items() if name != "written_times"}
    table.transact([table.put(item)])
    assert not differs(table, OTHER)
    old, new = Record(table, OTHER), Record(table, default_spec())
    old.write()
    new.write()
    assert differs(table, default_spec())


def test_twenty_sources_of_fifty_columns_fit_into_an_item(table: LedgerTable) -> None:
    columns = {f"column_{number}": {"type": "decimal(10,2)", "description": "An amount"} for number in range(50)}
    source = {"keys": ["column_0"], "columns": columns}
    spec = spec_of({"sources": {f"source_{at}": source for at in range(20)}})
    Record(table, spec).write()
    assert len(str(table.get("SPEC", "SILVER"))) < 40_000
    assert applied_spec.read(table) == spec


def test_a_run_that_had_begun_before_a_rollback_leaves_it_to_the_next_one_to_look_again(table: LedgerTable) -> None:
    Record(table, OTHER).write()
    at_work = Record(table, OTHER)
    applied_spec.look_again(table)
    at_work.write()
    assert differs(table, OTHER)
    Record(table, OTHER).write()
    assert not differs(table, OTHER)
