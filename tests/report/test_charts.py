"""Which answers get a chart, and what stands in it."""

from __future__ import annotations

import re

import pytest
from report_values import answer

from lakectl.html import charts
from lakectl.ops.report.model import Rows

DAYS = [["2026-09-02", "5"], ["2026-09-01", "7"]]


def titles(rows: Rows) -> list[str]:
    return [title for title, _ in charts.of_answer(rows)]


@pytest.mark.parametrize(
    ("rows", "columns", "types", "wanted"),
    [
        ([["a", "1"], ["b", "2"]], ["name", "n"], ["varchar", "bigint"], ["n by name"]),
        ([["a", "1.5"], [None, "2"]], ["name", "n"], ["varchar", "decimal(12,2)"], ["n by name"]),
        ([["1", "1.5"], ["2", "2"]], ["driver_id", "n"], ["bigint", "double"], ["n by driver_id"]),
        (DAYS, ["day", "n"], ["date", "bigint"], ["n by day"]),
        ([["a", "1", "2"], ["b", "3", "4"]], ["c", "n", "m"], ["varchar", "int", "double"], ["n by c", "m by c"]),
        ([["a", None], ["b", None]], ["name", "n"], ["varchar", "bigint"], []),
        ([["a", "1"]], ["name", "n"], ["varchar", "bigint"], []),
        ([["a", "1"], ["a", "2"]], ["name", "n"], ["varchar", "bigint"], []),
        ([["a", "x"], ["b", "y"]], ["name", "other"], ["varchar", "varchar"], []),
        ([["1", "2"], ["3", "4"]], ["n", "m"], ["bigint", "bigint"], []),
        ([["a", "1"], ["b", "2"]], ["name", "snapshot_id"], ["varchar", "bigint"], []),
        ([], ["name", "n"], ["varchar", "bigint"], []),
    ],
)  # fmt: skip
def test_a_category_or_a_date_and_numbers_make_charts(
    rows: list[list[str | None]], columns: list[str], types: list[str], wanted: list[str]
) -> None:
    assert titles(answer(rows, columns, types)) == wanted


def test_an_answer_that_goes_on_and_a_plan_have_none() -> None:
    assert titles(answer(DAYS, ["day", "n"], ["date", "bigint"], more=True)) == []
    assert titles(answer(DAYS, ["day", "n"], ["date", "bigint"], is_plan=True)) == []


def test_days_go_from_left_to_right_and_categories_keep_their_order() -> None:
    days = str(charts.of_answer(answer(DAYS, ["day", "n"], ["date", "bigint"]))[0][1])
    assert days.index("2026-09-01") < days.index("2026-09-02")
    bars = str(charts.bars("t", ["first", "second"], [1, 2]))
    places = {name: float(y) for y, name in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>(first|second)<', bars)}
    assert places["first"] < places["second"]


@pytest.mark.parametrize("text", [None, "", "NaN", "Infinity", "1e999", "1e300", "-1e16", "1e-300", "x"])
def test_what_is_no_number_that_can_be_drawn_is_left_out(text: str | None) -> None:
    assert charts.number(text) is None
    drawn = str(charts.bars("t", ["a", "b"], [1.0, charts.number(text)]))
    assert ">None<" not in drawn


def test_labels_are_escaped_and_have_no_control_characters() -> None:
    drawn = str(charts.bars("<i>", ["<b>\x00\u202e", "b"], [1, 2]))
    assert "&lt;b&gt;\\x00\\u202e" in drawn
    assert "<b>" not in drawn
    assert "<script" not in drawn
    assert "<style" not in drawn


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 0.0],
        [-1.0, 2.0],
        [charts.GREATEST, charts.LEAST],
        [charts.GREATEST, -charts.GREATEST, 0.0],
        [charts.LEAST, 0.0],
        [-5.0, -7.0],
    ],
)
def test_any_numbers_can_be_drawn(values: list[float]) -> None:
    labels = ["a", "b", "c"][: len(values)]
    assert str(charts.bars("t", labels, values)).startswith("<svg")
    assert str(charts.columns("t", labels, values)).startswith("<svg")


def test_many_columns_write_some_of_their_labels() -> None:
    drawn = str(charts.columns("t", [f"2026-01-01 {number:04}" for number in range(400)], [1.0] * 400))
    assert 2 <= len(re.findall(r"2026-01-01 \d{4}", drawn)) <= 6
