"""``lakectl init``: a project that loads, and never over a file that is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from inferring import Ran, write

from lakectl import config, project, saved_queries
from lakectl.naming import Names
from lakectl.project import shipped_root

Lakectl = Callable[..., Ran]
FILES = {
    "data/orders.csv": "order_id;customer_id;day;price\n"
    + "".join(f"{n};{n % 3};2024-01-0{1 + n % 9};{n % 7},50\n" for n in range(600)),
    "data/customers.jsonl": "".join(f'{{"customer_id": {n}, "name": "C{n}"}}\n' for n in range(3)),
}  # fmt: skip
COMMON = {".github/workflows/lake.yml", ".gitignore", "README.md", "config/lake.yaml"}


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_tutorial_is_the_default(lakectl: Lakectl, tmp_path: Path) -> None:
    ran = lakectl("init", "my-lake")
    assert (ran.code, ran.err) == (0, "")
    home = tmp_path / "my-lake"
    queries = {f"queries/{path.name}" for path in (shipped_root() / "queries").glob("*.sql")} | {
        "queries/views/daily_sales.sql"
    }
    assert tree(home) == COMMON | queries
    ours, shipped = config.load(home / "config/lake.yaml"), config.load(shipped_root() / "config/lake.yaml")
    assert ours.model_copy(update={"name": "demo"}) == shipped
    assert ours.name == "my-lake"
    assert "lakectl demo" in ran.out


def test_eject_copies_jobs_and_lambdas(lakectl: Lakectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lakectl("init", "--eject", "--name", "mine").code == 0
    code = {path for path in tree(tmp_path) if path.startswith(("jobs/", "lambdas/"))}
    assert {"jobs/retail_bronze_to_silver.py", "lambdas/start_glue_job/handler.py"} <= code
    assert not any("__pycache__" in path for path in code)
    monkeypatch.chdir(tmp_path)
    assert project.find().jobs == tmp_path / "jobs"


def test_without_eject_jobs_and_lambdas_are_the_shipped_ones(lakectl: Lakectl, tmp_path: Path) -> None:
    assert lakectl("init", ".", "--name", "mine").code == 0
    found = project.find()
    assert (found.jobs, found.lambdas) == (shipped_root() / "jobs", shipped_root() / "lambdas")
    assert found.queries == tmp_path / "queries"


def test_a_project_of_ones_own_files(lakectl: Lakectl, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    ran = lakectl("init", ".", "--from", "data", "--name", "shop-two")
    assert (ran.code, ran.err) == (0, "")
    loaded = config.load(tmp_path / "config/lake.yaml")
    assert list(loaded.sources) == ["customers", "orders"]
    assert loaded.sources["orders"].lookups[0].source == "customers"
    text = (tmp_path / "config/lake.yaml").read_text()
    values = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in values if "retail" in line.split("  #")[0]]
    names = Names(loaded, "123456789012", "eu-west-1")
    assert (names.silver_database, names.raw_bucket) == (
        "shop_two_silver",
        "shop-two-lake-raw-123456789012-eu-west-1-an",
    )
    queries = saved_queries.load(project.find(), names)
    assert [query.name for query in queries] == [
        "01_customers_peek", "02_customers_row_count", "03_orders_peek", "04_orders_row_count", "05_orders_by_day",
    ]  # fmt: skip
    assert "shop_two_silver.orders_silver" in queries[3].sql
    assert "lakectl land data/customers.jsonl data/orders.csv --wait" in (tmp_path / "README.md").read_text()
    steps = yaml.safe_load((tmp_path / ".github/workflows/lake.yml").read_text())["jobs"]["local-lake"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [
        "pip install 'lakectl[local]'", "lakectl up", "lakectl land data/customers.jsonl data/orders.csv --wait",
        "lakectl validate", "lakectl down --yes",
    ]  # fmt: skip


def test_the_outcome_as_json(lakectl: Lakectl, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    told = json.loads(lakectl("init", "p", "--from", "data/orders.csv", "--json").out)
    assert set(told["files"]) == tree(tmp_path / "p")
    (source,) = told["sources"]
    assert (source["source"], source["rows"], source["keys"]) == ("orders", 600, ["order_id"])
    assert source["columns"]["price"] == "decimal(18,2)"


def test_what_lands_files_whose_names_do_not_say_their_source(lakectl: Lakectl, tmp_path: Path) -> None:
    drivers = {"d-1.csv": "driver,name\n7,A\n", "d-2.csv": "driver,name\n8,B\n"}
    write(tmp_path, {**drivers, "Order-List.csv": "order_id,driver\n1,7\n2,8\n", "zones.tsv": "zone\tcity\nz1\tOslo\n"})
    ran = lakectl("init", ".", "--from", ".", "--name", "x")
    assert [line.partition("lakectl ")[2] for line in ran.out.splitlines() if " land " in line] == [
        "land d-1.csv d-2.csv --source d --batch auto",
        "land Order-List.csv --source order_list",
        "land zones.tsv --source zones --wait",
    ]


def test_an_existing_file_is_never_overwritten(lakectl: Lakectl, tmp_path: Path) -> None:
    write(tmp_path, {"README.md": "mine", "queries/01_peek.sql": "SELECT 1"})
    ran = lakectl("init")
    assert ran.code == 64
    assert "README.md, queries/01_peek.sql are in ./ already; nothing was written" in ran.err
    assert tree(tmp_path) == {"README.md", "queries/01_peek.sql"}
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_project_that_cant_be_written_leaves_nothing_behind(lakectl: Lakectl, tmp_path: Path) -> None:
    write(tmp_path, {"p/queries": "a file where a folder must be"})
    ran = lakectl("init", "p")
    assert ran.code == 64
    assert "can't write p/: " in ran.err
    assert tree(tmp_path) == {"p/queries"}
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["queries"]


def test_the_demo_is_refused_in_a_project_of_other_sources(lakectl: Lakectl, tmp_path: Path) -> None:
    write(tmp_path, FILES)
    assert lakectl("init", ".", "--from", "data/orders.csv").code == 0
    ran = lakectl("demo")
    assert ran.code == 64
    assert "is another lake than the tutorial's: it has no source customers, products" in ran.err
    assert not (tmp_path / "retail_data").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("init", "--from", "none.csv"), "no file at none.csv"),
        (("init", "--from", "a.csv", "--template", "retail"), "--template and --from exclude each other"),
        (("init", "--template", "wholesale"), "'wholesale' is not 'retail'"),
        (("init", "--name", "Not OK"), "--name 'Not OK' is not allowed"),
        (("--target", "aws", "init"), "--target has no meaning for init"),
        (("init", "a.csv"), "a.csv is not a folder"),
        (("source", "add", "a.csv"), "there is no project in this folder"),
    ],
)
def test_mistakes(lakectl: Lakectl, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    write(tmp_path, {"a.csv": "id,x\n1,2\n"})
    ran = lakectl(*arguments)
    assert ran.code == 64
    assert says in ran.err
    assert tree(tmp_path) == {"a.csv"}
