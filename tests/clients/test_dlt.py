"""dlt's athena destination, unchanged, against the local Athena, Glue and S3.

https://dlthub.com/docs/dlt-ecosystem/destinations/athena
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_workspace import python_of, workspace

from lakectl.local.control import Endpoint

PYTHON = python_of("dlt")
MERGED = [[1, 1.5, None], [2, 9.0, None], [3, 3.5, "é"]]
PARTS = {
    "append_and_replace": [[[1, 1.5], [1, 1.5], [2, 2.5]], [[5]], [[2, 9.0, None], [3, 3.5, "é"]]],
    "iceberg_merge": [MERGED, [["a"], ["b"]], [1, 2, 3], [[2]]],
    "iceberg_upsert": MERGED,
    "iceberg_history": [[1, "Bonn", False], [1, "Köln", True], [2, "Ulm", True]],
    "partitioned": [[2]],
}

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def run(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs parts of the program; part -> what it gave."""
    with workspace(endpoint, "dlt-client", PYTHON) as lake:
        home = tmp_path_factory.mktemp("dlt")
        lake.environ.update(DLT_DATA_DIR=str(home), DLT_PROJECT_DIR=str(home), RUNTIME__DLTHUB_TELEMETRY="false")
        program = Path(__file__).with_name("dlt_program.py")
        yield lambda *parts: lake.run_parts(PYTHON, program, *parts)


@pytest.mark.parametrize("part", PARTS)
def test_dlt(run: Callable[..., dict[str, Any]], part: str) -> None:
    assert run(part) == {part: PARTS[part]}
