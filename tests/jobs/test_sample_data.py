"""Sample data: the same bytes for the same seed, and what the tutorial promises of them."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from lakectl.ops.landing.sample_data import write_sample_data

UNTIL = date(2026, 11, 24)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one = write_sample_data(tmp_path / "one", orders=500, until=UNTIL)
    two = write_sample_data(tmp_path / "two", orders=500, until=UNTIL)
    other = write_sample_data(tmp_path / "other", orders=500, seed=7, until=UNTIL)
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert one[2].read_bytes() != other[2].read_bytes()


def test_the_defaults_are_the_tutorials(tmp_path: Path) -> None:
    customers, products, orders = write_sample_data(tmp_path, until=UNTIL)
    with orders.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["order_id", "order_date", "customer_id", "product_id", "qty", "unit_price", "channel"]
    assert len({row["order_id"] for row in rows}) == len(rows) == 8772
    assert len(customers.read_text(encoding="utf-8").splitlines()) == 501
    assert len(products.read_text(encoding="utf-8").splitlines()) == 201
    days = {datetime.strptime(row["order_date"], "%d/%m/%Y").date() for row in rows}
    assert (min(days), max(days), len(days)) == (UNTIL - timedelta(days=89), UNTIL, 90)
    assert {row["channel"] for row in rows} == {"web", "store", "mobile"}
    assert any("," in row["unit_price"] for row in rows)
    assert any("." in row["unit_price"] for row in rows)
    assert all(1 <= int(row["customer_id"]) <= 500 and 1 <= int(row["product_id"]) <= 200 for row in rows)


def test_a_failure_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orders.csv").write_text("before")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        write_sample_data(tmp_path, orders=10, until=UNTIL)
    assert (tmp_path / "orders.csv").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


def test_a_count_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="orders must be at least 1"):
        write_sample_data(tmp_path, orders=0, until=UNTIL)


def test_sample_data_the_demo_and_the_quick_test_use_one_seed(tmp_path: Path) -> None:
    """Item 10: with different seeds, `land retail_data/*.csv` was refused after the demo."""
    from click.testing import CliRunner

    from lakectl.cli import demo_story
    from lakectl.cli.app import App
    from lakectl.cli.sample_data import sample_data
    from lakectl.ops.landing.sample_data import one_order

    done = CliRunner().invoke(sample_data, [str(tmp_path / "command"), "--orders", "1"])
    assert done.exit_code == 0, done.output
    files = demo_story.sample_data(App(), tmp_path / "demo", 1)
    for file in files:
        assert file.read_bytes() == (tmp_path / "command" / file.name).read_bytes()
    assert one_order() == (tmp_path / "demo" / "orders.csv").read_bytes()
