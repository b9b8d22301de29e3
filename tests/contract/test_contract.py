"""Every row of the table of behaviours, against the local endpoint."""

from __future__ import annotations

import pytest
from contract_rows import ROWS
from contract_table import Clients, Row, clients_of, run

from lakectl.local.control import Endpoint


@pytest.fixture(scope="module")
def clients(endpoint: Endpoint) -> Clients:
    return clients_of(endpoint.url, endpoint.access_key_id, endpoint.secret_access_key)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_endpoint_answers_as_the_table_expects_of_aws(row: Row, clients: Clients) -> None:
    outcome = run(row, clients)
    if row.differs:
        assert not outcome.agrees, f"{row.id} agrees with AWS now: take the reason away"
        return
    assert outcome.agrees, f"expected: {row.answer} ({row.source}); here: {outcome.got}"


def test_every_row_has_a_name_of_its_own_and_a_source() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS) >= 60
    assert all(row.source.startswith("https://docs.aws.amazon.com/") for row in ROWS)
