"""awswrangler (AWS SDK for pandas), unchanged, against the local Athena, Glue and S3.

https://aws-sdk-pandas.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_workspace import python_of, workspace

from lakectl.local.control import Endpoint

PYTHON = python_of("awswrangler")
LATE = ["2025-10-04", "2025-10-04 01:02:03.456000", "1.50", "é", "<NA>", "True"]
TYPED = [["1", "1.5", *LATE], ["2", "2.5", *LATE]]
SALES = [[1, "North", 1.5], [2, "South", 2.5], [3, "North", 3.5]]
PARTS = {
    "by_ctas": [TYPED, {"order_id": "Int32", "amount": "float64"}],
    "by_unload": TYPED,
    "by_csv": TYPED,
    "chunks": [[1000, 1000, 500], 2500],
    "parameters": [[[2]], [[2]]],
    "dataset": [
        [["North", 2, 5.0], ["South", 1, 2.5]],
        [["North", 3, 8.5], ["South", 1, 2.5]],
        [[1]],
        [["North", 1, 1.5], ["South", 1, 2.5]],
        2,
        [["North"], ["South"]],
    ],
    "text_datasets": [[[key, region, amount] for key, region, amount in SALES]] * 3,
    "iceberg": [
        SALES,
        [[1, 1.5], [2, 2.5], [3, 9.0], [4, 9.0], [5, 9.0]],
        [[1, "North"], [2, "South"], [4, "South"]],
        [[2, 0]],
        [[3]],
    ],
    "catalog": [
        {"id": "bigint", "name": "string", "day": "date"},
        "by hand",
        "the key",
        [["2025-10-04"]],
        ["made"],
        True,
        True,
        ["id", "name", "day"],
        "CREATE EXTERNAL TABLE `made`",
        False,
    ],
    "statements": ["kept", [[2]], ["one_order"], [[2]], "SUCCEEDED"],
}

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def run(endpoint: Endpoint) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs parts of the program on a table of two orders; part -> what it gave."""
    with workspace(endpoint, "awswrangler-client", PYTHON) as lake:
        lake.execute(
            f"CREATE TABLE orders (order_id int, amount double) LOCATION 's3://{lake.name}/orders/'"
            " TBLPROPERTIES ('table_type' = 'ICEBERG')",
            "INSERT INTO orders VALUES (1, 1.5), (2, 2.5)",
        )
        program = Path(__file__).with_name("awswrangler_program.py")
        yield lambda *parts: lake.run_parts(PYTHON, program, *parts)


@pytest.mark.parametrize("part", PARTS)
def test_awswrangler(run: Callable[..., dict[str, Any]], part: str) -> None:
    assert run(part) == {part: PARTS[part]}
