"""SQLMesh, unchanged, against the local Athena: the project in `sqlmesh_project` is planned, applied and run.

https://sqlmesh.readthedocs.io/en/stable/integrations/engines/athena/
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from client_workspace import Workspace, python_of, workspace

from lakectl.local.control import Endpoint

PYTHON = python_of("sqlmesh")
PROJECT = Path(__file__).with_name("sqlmesh_project")

pytestmark = pytest.mark.long


class Sqlmesh:
    def __init__(self, lake: Workspace, project: Path) -> None:
        self._lake = lake
        self.project = project

    def __call__(self, *arguments: str) -> str:
        names = {"SHOP_WORKGROUP": self._lake.name, "SHOP_BUCKET": self._lake.name, "HOME": str(self.project)}
        return self._lake.run(PYTHON.with_name("sqlmesh"), *arguments, folder=self.project, **names)


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Workspace]:
    with workspace(endpoint, "sqlmesh-client", PYTHON) as made:
        yield made


@pytest.fixture(scope="module")
def sqlmesh(lake: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Sqlmesh:
    """The project, planned and applied up to the second day."""
    project = tmp_path_factory.mktemp("sqlmesh") / "project"
    shutil.copytree(PROJECT, project)
    runs = Sqlmesh(lake, project)
    runs("plan", "--auto-apply", "--no-prompts", "--execution-time", "2025-10-03")
    return runs


def test_plan_then_run_then_a_changed_model(sqlmesh: Sqlmesh, lake: Workspace) -> None:
    days = "SELECT ordered_on, sales, orders FROM sales_by_day ORDER BY 1"
    two = [["2025-10-01", "30.0", "2"], ["2025-10-02", "5.0", "1"]]
    assert lake.execute(days) == two
    assert lake.execute("SELECT customer_id FROM top_customers ORDER BY 1") == [["1"], ["2"], ["3"]]
    assert lake.execute("SELECT count(*), sum(amount) FROM orders_parquet") == [["4", "65.0"]]
    sqlmesh("run")
    assert lake.execute(days) == two + [["2025-10-03", "30.0", "1"]]
    model = sqlmesh.project / "models/top_customers.sql"
    model.write_text(model.read_text().replace("> 10", "> 15"))
    sqlmesh("plan", "dev", "--auto-apply", "--no-prompts", "--skip-tests")
    dev = "SELECT customer_id FROM sqlmesh_client__dev.top_customers ORDER BY 1"
    assert lake.execute(dev) == [["2"], ["3"]]
    assert lake.execute("SELECT count(*) FROM top_customers") == [["3"]]  # dev is a place of its own


def test_audit_passes(sqlmesh: Sqlmesh) -> None:
    assert "0 audit errors" in sqlmesh("audit")
