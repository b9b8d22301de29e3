"""Every row of the table of behaviours, against the local endpoint; with ``--aws``, against an account."""

from __future__ import annotations

import re

import pytest
from accounts import Account
from botocore.session import get_session

from lakectl.contract.asking import not_asked
from lakectl.contract.rows import ROWS, UNSOURCED
from lakectl.contract.sources import KINDS
from lakectl.contract.table import Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_endpoint_answers_as_the_row_s_source_says_of_aws(row: Row, asked: Account, recording: bool) -> None:
    if recording and (why := not_asked(row, asked.where)):
        pytest.skip(why)
    outcome = asked.ask(row)
    assert outcome.left == ()
    if row.differs and not recording:
        assert not outcome.agrees, f"{row.id} agrees with AWS now: take the reason away"
        return
    assert outcome.agrees, f"expected: {row.answer} ({row.source}); answered: {outcome.got}"


@pytest.mark.parametrize("row", UNSOURCED, ids=lambda row: row.id)
def test_the_endpoint_refuses_what_no_source_was_found_for(row: Row, asked: Account, recording: bool) -> None:
    """An account is asked what its answer is: any will do."""
    outcome = asked.ask(row)
    assert outcome.left == ()
    assert outcome.prepared if recording else outcome.agrees, f"expected: {row.answer}; answered: {outcome.got}"


def test_a_hundred_rows_have_a_source_and_agree() -> None:
    assert len({row.id for row in [*ROWS, *UNSOURCED]}) == len(ROWS) + len(UNSOURCED)
    assert sum(not row.differs for row in ROWS) >= 100
    assert [row.id for row in ROWS for source in row.source.split("; ") if not source.startswith(KINDS)] == []
    assert [row.id for row in UNSOURCED if row.source] == []


def test_the_api_model_has_what_the_rows_cite() -> None:
    """Every name is in it; and an error that is cited with operations is one that they declare."""
    session = get_session()
    for row in ROWS:
        for service, names in re.findall(r"API model: (\S+) ([^;]+)", row.source):
            described, cited = session.get_service_model(service), set(names.split())
            assert cited <= {*described.shape_names, *described.operation_names}, f"{row.id}: {cited}"
            operations = [described.operation_model(name) for name in cited & set(described.operation_names)]
            declared = {shape.name for operation in operations for shape in operation.error_shapes}
            errors = {
                name for name in cited if name.endswith(("Exception", "InvalidAttributeValue", "DeletedRecently"))
            }
            assert not operations or errors <= declared, f"{row.id}: {errors - declared}"
