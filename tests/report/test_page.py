"""The page of a report: whatever the lake holds, it is one file that loads nothing and shows everything as text."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

import pytest
from report_values import FAILED, PASSED, PICTURE, SOURCE, answer, landing, report, snapshot, table

from lakectl.ops.report.model import Answer, Cost, Landings, Layout, Lineage, Picture, Report, Section, TableReport
from lakectl.report.page import render

EVIL = "<script>alert(1)</script>\"'&\u202e\x07"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """The elements and the text of a page. Fails on one that is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._open = "", []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def page(**changes: Any) -> Page:
    return Page(render(report(**changes)))


def evil(value: Any) -> Any:
    """``value`` with EVIL at the end of each text in it."""
    if isinstance(value, str):
        return value + EVIL
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: evil(getattr(value, each.name)) for each in fields(value)})
    if isinstance(value, dict):
        return {key + EVIL: evil(each) for key, each in value.items()}
    return type(value)(map(evil, value)) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("known", [report(), report(checks=Section(problem="broken"), runs=Section(problem="broken"))])
def test_every_text_of_the_lake_is_escaped(known: Report) -> None:
    html = render(evil(known))
    found = Page(html)
    assert not {"script", "iframe", "img", "link", "object", "form"} & {tag for tag, _ in found.tags}
    assert found.text.count("<script>alert(1)</script>") > 30
    assert "\u202e" not in html
    assert "\x07" not in html
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]


def test_the_page_loads_nothing() -> None:
    html = render(report())
    found = Page(html)
    policy = next(each["content"] for each in found.of("meta") if each.get("http-equiv"))
    assert str(policy).startswith("default-src 'none'")
    addresses = [attrs[name] for _, attrs in found.tags for name in ("src", "href", "xlink:href") if name in attrs]
    assert [each for each in addresses if not str(each).startswith("#")] == []
    assert re.findall(r"url\((?!#)|@import", html) == []


def test_a_lake_in_which_all_is_well_shows_each_part() -> None:
    text = page().text
    for part in (
        "Lake city", "1 passed", "city-raw", "city_load", "rides_silver", "Takings by borough", "Mitte", "12.5",
        "Partitioned by day(started_at): 2 partitions", "It reads 35.7% of that", "1002", "2 rows are quarantined",
        "batch=00001", "3 inserted", "the file's column ride_id",
    ):  # fmt: skip
        assert part in text, part


def test_it_has_charts_of_answers_partitions_and_snapshots() -> None:
    names = {each["aria-label"] for each in page().of("svg") if each.get("class") == "chart"}
    assert names == {
        "total by borough",
        "rows in each partition of rides_silver",
        "rows at each snapshot of rides_silver",
    }


def test_a_failing_check_is_shown_with_its_evidence() -> None:
    text = page(checks=Section([PASSED, FAILED])).text
    assert "1 failed" in text
    assert "the key 7 is there twice" in text


def test_a_check_that_could_not_be_judged_is_neither() -> None:
    text = page(checks=Section([PASSED, replace(FAILED, passed=None)])).text
    assert "1 not judged" in text
    assert "failed" not in text


@pytest.mark.parametrize("part", ["checks", "answers", "landings", "runs", "cost"])
def test_a_part_that_fails_says_why_and_what_to_type(part: str) -> None:
    text = page(**{part: Section(problem="there is no table", hint="make it with: lakectl up")}).text
    assert "Not available. there is no table" in text
    assert "make it with: lakectl up" in text
    assert "Lake city" in text


@pytest.mark.parametrize("part", ["there", "layout", "snapshots", "lineage"])
def test_a_part_of_a_table_that_fails_says_why(part: str) -> None:
    assert "no permission" in page(tables=[replace(table(), **{part: Section(problem="no permission")})]).text


def test_a_query_that_fails_leaves_the_others() -> None:
    failed = Answer("02_bad", "A bad one", "", "SELECT nope", Section(problem="Column 'nope' cannot be resolved"))
    answers = [*(report().answers.value or ()), failed]
    text = page(answers=Section(answers)).text
    assert "Column 'nope' cannot be resolved" in text
    assert "Mitte" in text


def test_an_empty_lake_has_a_page() -> None:
    empty = TableReport("rides", "rides_silver", "", [], Section(False))
    text = page(
        checks=Section([]), answers=Section([]), tables=[empty], landings=Section(Landings([], False)),
        runs=Section([]), cost=Section(Cost(False, 0, 0, 0.44, 0, 0, 5.0, False)),
    ).text  # fmt: skip
    for part in (
        "Nothing is loaded yet",
        "Nothing has landed yet",
        "The job has not run yet",
        "no saved queries",
        "0 USD",
    ):
        assert part in text, part


def test_a_table_without_rows_has_a_page() -> None:
    layout = Layout(("day(started_at)",), [], 0, 0, 0, 0, None)
    empty = replace(table(), layout=Section(layout), snapshots=Section([]), lineage=Section(Lineage([], False, 0)))
    assert "The table has no rows" in page(tables=[empty]).text


def test_what_is_left_out_is_said() -> None:
    rows = answer([["1"]], ["n"], ["bigint"], more=True)
    text = page(
        landings=Section(Landings([landing(number) for number in range(50)], True)),
        answers=Section([Answer("01", "t", "", "SELECT 1", Section(rows))]),
    ).text
    assert "The newest 50. All of them: lakectl runs --all" in text
    assert "The first 1 rows; there are more" in text


def test_many_snapshots_are_bounded() -> None:
    many = [snapshot(1, id=str(number)) for number in range(5000)]
    text = page(tables=[replace(table(), snapshots=Section(many))]).text
    assert "The newest 40 of 5,000" in text
    assert "4999" not in text


def test_the_picture_of_many_sources_is_bounded() -> None:
    many: Picture = replace(PICTURE, sources=tuple(replace(SOURCE, name=f"s{number}") for number in range(100)))
    assert "and 88 more sources" in page(picture=many).text


def test_long_names_stay_in_their_boxes() -> None:
    long = replace(PICTURE, raw_bucket="a" * 63, start_function="start-" * 10)
    text = [line for line in page(picture=long).text.splitlines() if "a" * 20 in line]
    assert text
    html = render(report(picture=long))
    shown = re.findall(r"<text x=[^>]*>([^<]*)</text>", html)
    assert max(map(len, shown)) <= 24


def test_cost_is_nothing_where_nobody_is_charged() -> None:
    assert "0 USD. This lake runs on this machine, and nobody is charged for it." in page().text


def test_cost_in_an_account_is_an_estimate_that_says_of_what() -> None:
    text = page(cost=Section(Cost(True, 3, 10.0, 0.44, 5, 2 * 10**12, 5.0, True))).text
    assert "14.40 USD, estimated from what Glue and Athena report of the newest runs and queries" in text
    assert "nobody is charged" not in text
