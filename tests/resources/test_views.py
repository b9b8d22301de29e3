"""Views of the configuration: made once their tables are there, read again, drift-checked, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lakes import open_test_lake, tear_down

from lakectl import project
from lakectl.engine.model import Action, Step
from lakectl.errors import UsageError
from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake
from lakectl.ops.provision import waiting
from lakectl.resources.view import View
from lakectl.spec.view_sql import canonical

SQL = (
    "-- title: Sales of a day\nSELECT order_date AS day, SUM(qty) AS items FROM retail_silver.orders_silver GROUP BY 1;"
)
OVER = "SELECT MAX(items) AS best FROM daily"
STEP = ("create-buckets", "create-workgroup")


def in_project(lake: Lake, folder: Path, files: dict[str, str], views: list[str]) -> Lake:
    """The lake with a configuration file of its own, whose line 3 names the first view."""
    (folder / "config").mkdir()
    (folder / "queries/views").mkdir(parents=True)
    for name, sql in files.items():
        (folder / f"queries/views/{name}.sql").write_text(sql)
    config_file = folder / "config/lake.yaml"
    config_file.write_text("name: x\nviews:\n" + "".join(f"  - {name}\n" for name in views))
    return Lake(
        lake.config.model_copy(update={"views": views}), project.Project(lake.project.root, config_file), lake.aws
    )


@pytest.fixture
def lake(endpoint: Endpoint, tmp_path: Path) -> Iterator[Lake]:
    found = in_project(open_test_lake(endpoint), tmp_path, {"daily": SQL, "best": OVER}, ["best", "daily"])
    yield found
    tear_down(found)


def steps(lake: Lake) -> dict[str, Step]:
    plan = provision.plan(lake, STEP)
    return {step.resource.view: step for step in plan.steps if isinstance(step.resource, View)}


def up(lake: Lake) -> None:
    result = provision.up(lake, provision.plan(lake, STEP), lambda _: None)
    assert result.ok, result.failed


def make_table(lake: Lake) -> None:
    """The silver table, as a run would make it."""
    athena, database = lake.client("athena"), lake.names.silver_database
    started = athena.start_query_execution(
        QueryString=f"CREATE TABLE {database}.orders_silver (order_date date, qty int) "
        f"LOCATION 's3://{lake.names.silver_bucket}/orders_silver/' TBLPROPERTIES ('table_type' = 'ICEBERG')",
        WorkGroup=lake.names.workgroup,
    )["QueryExecutionId"]
    while (state := athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]["State"]) in (
        "QUEUED",
        "RUNNING",
    ):
        time.sleep(0.05)
    assert state == "SUCCEEDED"


def test_a_view_waits_for_its_table_is_made_and_restored(lake: Lake) -> None:
    up(lake)
    table = f"{lake.names.silver_database}.orders_silver"
    waits = steps(lake)
    assert [waits[name].action for name in ("daily", "best")] == [Action.WAIT, Action.WAIT]
    assert waits["best"].awaits == f"{table}, which a run makes"
    assert waiting.make(lake) is None
    make_table(lake)
    result = waiting.make(lake)
    assert result is not None
    assert result.ok, result.failed
    assert [step.resource.name.split(".")[1] for step in result.done] == ["daily", "best"]
    assert waiting.make(lake) is None
    assert {step.action for step in steps(lake).values()} == {Action.KEEP}

    daily = steps(lake)["daily"].resource
    other = View(
        daily.database, "daily", step="", workgroup=daily.workgroup, sql="SELECT 1 AS x", waits_for=(), needs=()
    )  # type: ignore[attr-defined]
    other.create(lake.aws)
    drifted = steps(lake)["daily"]
    assert (drifted.action, [change.field for change in drifted.changes]) == (Action.CHANGE, ["sql"])
    up(lake)
    assert {step.action for step in steps(lake).values()} == {Action.KEEP}


def test_what_athena_makes_of_a_query_is_no_drift() -> None:
    """Trino formats the text of a view anew (``SqlFormatter``)."""
    ours = (
        "select o.day, sum(a * (b + 1)) as total -- all\n"
        "from t o join u on o.id = u.id where a > 1 and b < 2 order by 1"
    )
    theirs = (
        'SELECT\n  o.day\n, "sum"((a * (b + 1))) total\nFROM\n  (t o\nINNER JOIN u ON (o.id = u.id))\n'
        "WHERE ((a > 1) AND (b < 2))\nORDER BY 1 ASC\n"
    )
    assert canonical(ours) == canonical(theirs)
    assert canonical(ours) != canonical(ours.replace("(b + 1)", "b + 1"))


@pytest.mark.parametrize(
    ("files", "views", "says"),
    [
        ({}, ["daily"], "lake.yaml:3: views: there is no "),
        ({"daily": SQL}, ["daily", "daily"], "lake.yaml:4: views: 'daily' is given twice"),
        (
            {"orders_silver": SQL},
            ["orders_silver"],
            "lake.yaml:3: views: 'orders_silver' ends as the tables of runs do",
        ),
        ({"daily": "DELETE FROM t"}, ["daily"], "daily.sql is no SELECT"),
        ({"daily": "SELECT :day AS day"}, ["daily"], "a view has no parameters, and this has :day"),
        ({"daily": "-- assert: 1 = 1\n" + OVER}, ["daily"], "a view is not judged"),
        ({"a": "SELECT * FROM b", "b": "SELECT * FROM a"}, ["a", "b"], "the view 'a' reads itself"),
        ({"a": "-- titel: x\nSELECT 1 AS x"}, ["a"], "a.sql:1: unknown header key 'titel'"),
    ],
)
def test_a_view_that_can_not_be_is_refused(
    endpoint: Endpoint, tmp_path: Path, files: dict[str, str], views: list[str], says: str
) -> None:
    lake = in_project(open_test_lake(endpoint), tmp_path, files, views)
    with pytest.raises(UsageError) as refused:
        lake.resources  # noqa: B018
    assert says in str(refused.value)
