"""PyAthena, unchanged, against the local Athena.

Lives in an environment of its own, `.venv-pyathena`, made by `make`: it pins what others need in other versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_workspace import python_of, workspace

from lakectl.local.control import Endpoint

PYTHON = python_of("pyathena")
TYPED = [[1, 1.5, "2025-10-04", "1.50", [1, 2], "", None, True], [2, 2.5, "2025-10-04", "1.50", [1, 2], "", None, True]]
KINDS = ["integer", "double", "date", "decimal", "array", "varchar", "varchar", "boolean"]
NAMES = ["order_id", "amount", "day", "dec", "arr", "empty", "missing", "yes"]

SMALL = {
    "cursor": [[[name, kind] for name, kind in zip(NAMES, KINDS, strict=True)], TYPED],
    "parameters": [[[2]], [[2]]],
    "dictionaries": [{"order_id": 1, "amount": 1.5}, {"order_id": 2, "amount": 2.5}],
    "utility": [[["orders"]], [["order_id", "int"], ["amount", "double"]], True],
}
ALL = SMALL | {
    "pages": 2500,
    "writing": [1, 3, [[2]]],
    "errors": "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved or requester is not authorized to access "
    "requested resources",
    "threads": [[[2]], [[1]], "CANCELLED"],
    "asynchronous": [[1], [2]],
    # PyAthena itself reads an empty text as missing here (na_values), and a decimal as a text for Arrow.
    "pandas": [["Int64", "float64", "datetime64"], [1.5, 2.5], {"empty": 2, "missing": 2}, [1000, 1000, 500]],
    "arrow": [["int32", "double", "date32[day]", "string"], [1.5, 2.5], 2],
    "polars": [["Int32", "Float64", "Date"], [1.5, 2.5]],
    "sqlalchemy": [True, ["orders"], [["order_id", "INTEGER"], ["amount", "DOUBLE"]], True, [[1, 1.5], [2, 2.5]]],
    "missing_table": [False, "nope"],
    "unloaded": [[1, 2], [[1], [2]]],
    "alchemy_writes": [[[1, "a"], [2, "é"]], False],
}


@pytest.fixture(scope="module")
def run(endpoint: Endpoint) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs parts of the program on a table of two orders; part -> what it gave."""
    with workspace(endpoint, "pyathena-client", PYTHON) as lake:
        lake.execute(
            f"CREATE TABLE orders (order_id int, amount double) LOCATION 's3://{lake.name}/orders/'"
            " TBLPROPERTIES ('table_type' = 'ICEBERG')",
            "INSERT INTO orders VALUES (1, 1.5), (2, 2.5)",
        )
        program = Path(__file__).with_name("pyathena_program.py")
        yield lambda *parts: lake.run_parts(PYTHON, program, *parts)


def test_pyathena_reads(run: Callable[..., dict[str, Any]]) -> None:
    assert run(*SMALL) == SMALL


@pytest.mark.long
@pytest.mark.parametrize("part", [part for part in ALL if part not in SMALL])
def test_pyathena_does_all_of_it(run: Callable[..., dict[str, Any]], part: str) -> None:
    assert run(part) == {part: ALL[part]}
