"""``lakectl source add``: one more source, and every line that a person wrote stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inferring import Ran, write

from lakectl import config

Lakectl = Callable[..., Ran]
OWN = """\
# Mine.
name: shop
sources:   # what lands
    customers:
        keys: [customer_id]   # sure
        columns:
            customer_id: bigint
            name: {type: string,
                   description: two lines}
        # the end of customers

# behind it
schema_evolution: fail
"""
ORDERS = "order_id,customer_id,day\n1,1,2024-01-01\n2,1,2024-01-02\n"


@pytest.fixture
def home(tmp_path: Path, lakectl: Lakectl) -> Path:  # noqa: ARG001 - it sets the folder
    write(tmp_path, {"config/lake.yaml": OWN, "queries/07_mine.sql": "SELECT 1", "orders.csv": ORDERS})
    return tmp_path


def test_a_source_is_appended_and_the_rest_stays(lakectl: Lakectl, home: Path) -> None:
    ran = lakectl("source", "add", "orders.csv")
    assert (ran.code, ran.err) == (0, "")
    text = (home / "config/lake.yaml").read_text()
    before, end = OWN.split("\n# behind it")
    assert text.startswith(before + "\n    orders:  # orders.csv: 2 rows\n")
    assert text.endswith("\n# behind it" + end)
    loaded = config.load(home / "config/lake.yaml")
    assert list(loaded.sources) == ["customers", "orders"]
    assert loaded.sources["orders"].keys == ("order_id",)
    assert "a lookup? lookups: {customers: {on: customer_id, take: [name]}}" in text
    assert {path.name for path in (home / "queries").iterdir()} == {
        "07_mine.sql", "08_orders_peek.sql", "09_orders_row_count.sql",
    }  # fmt: skip


def test_under_a_name_of_its_own_and_twice(lakectl: Lakectl, home: Path) -> None:
    assert lakectl("source", "add", "--source", "sales", "orders.csv").code == 0
    before = (home / "config/lake.yaml").read_text()
    ran = lakectl("source", "add", "--source", "sales", "orders.csv")
    assert ran.code == 64
    assert "config/lake.yaml:12: there is a source sales already" in ran.err
    assert (home / "config/lake.yaml").read_text() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: shop\n", "config/lake.yaml has no `sources:`, so its sources are the tutorial's"),
        ("sources: {a: {keys: [id], columns: {id: int}}}\n", "config/lake.yaml:1: sources is not a block"),
        (OWN + "schema_evolutoin: add\n", "config/lake.yaml"),
    ],
)
def test_a_configuration_that_cant_be_added_to_is_left_alone(
    lakectl: Lakectl, home: Path, text: str, says: str
) -> None:
    (home / "config/lake.yaml").write_text(text)
    ran = lakectl("source", "add", "orders.csv")
    assert ran.code == 64
    assert says in ran.err
    assert (home / "config/lake.yaml").read_text() == text
    assert [path.name for path in (home / "config").iterdir()] == ["lake.yaml"]


def test_a_nested_field_needs_schema_evolution_ignore(lakectl: Lakectl, home: Path) -> None:
    write(home, {"events.jsonl": '{"id": 1, "tags": []}\n'})
    ran = lakectl("source", "add", "events.jsonl")
    assert ran.code == 64
    assert "events.jsonl: tags would be left out, and schema_evolution is fail" in ran.err
    (home / "config/lake.yaml").write_text(OWN.replace("evolution: fail", "evolution: ignore"))
    assert lakectl("source", "add", "events.jsonl").code == 0


def test_ends_without_a_newline_and_with_crlf(lakectl: Lakectl, home: Path) -> None:
    for text in (OWN.split("\n        # the end")[0], OWN.replace("\n", "\r\n")):
        (home / "config/lake.yaml").write_bytes(text.encode())
        for query in (home / "queries").glob("*orders*"):
            query.unlink()
        ran = lakectl("source", "add", "orders.csv")
        assert (ran.code, ran.err) == (0, "")
        new = (home / "config/lake.yaml").read_bytes().decode()
        assert new.startswith(text.split("\r\n# behind")[0])
        assert new.count("\r\n") in (0, new.count("\n"))
        assert "orders" in config.load(home / "config/lake.yaml").sources
