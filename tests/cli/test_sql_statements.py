"""Where the statements of ``lakectl sql`` end, and what it completes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from lakectl.errors import UsageError
from lakectl.local.athena.functions import ALL_NAMES
from lakectl.ops.console.catalog import Column, Table
from lakectl.shell import prompt
from lakectl.shell.completion import SqlCompleter
from lakectl.shell.statements import read, split
from lakectl.shell.words import FUNCTIONS, KEYWORDS


@pytest.mark.parametrize(
    ("text", "ended", "rest"),
    [
        ("SELECT 1", [], "SELECT 1"),
        ("SELECT 1;", ["SELECT 1"], ""),
        ("SELECT ';' AS \"a;b\"; SELECT 2;\n", ["SELECT ';' AS \"a;b\"", "SELECT 2"], ""),
        ("SELECT 'it''s; ", [], "SELECT 'it''s;"),
        ("SELECT 1 -- so; far\n + 1; /* a; */ -- b;\n", ["SELECT 1 -- so; far\n + 1"], ""),
        ("/* no end; ", [], "/* no end;"),
        ("CREATE TABLE `a;b` (x int);;;", ["CREATE TABLE `a;b` (x int)"], ""),
        ("SELECT 7 / 2 - 1; -", ["SELECT 7 / 2 - 1"], "-"),
        ("  \n ; ", [], ""),
    ],
)
def test_statements_end_at_semicolons_outside_of_quotes_and_comments(text: str, ended: list[str], rest: str) -> None:
    assert split(text) == (ended, rest)


def test_statements_of_a_pipe_come_as_they_end() -> None:
    lines = iter(["-- first\n", "SELECT 1\n", "; SELECT 2; SEL", "ECT ';\n", "';\n", "\n", "\\d orders\n", "SELECT 4"])
    found = read(lines)
    assert next(found) == "-- first\nSELECT 1"
    assert next(found) == "SELECT 2"
    assert len(list(lines)) == 5  # not read yet
    assert list(read(["\n", "\\d orders\n", "SELECT '\n", "\\d';\n", "-- the end"])) == ["\\d orders", "SELECT '\n\\d'"]
    with pytest.raises(UsageError, match="262,144 bytes"):
        list(read(["SELECT 'x\n", *["y" * 1000 + "\n"] * 300]))


@pytest.mark.parametrize(
    ("typed", "complete"),
    [("SELECT 1", False), ("SELECT 1;", True), ("SELECT 1; SELECT", False), ("", True), ("\\d", True), ("exit", True)],
)
def test_enter_ends_a_whole_statement_only(typed: str, complete: bool) -> None:
    assert prompt.is_complete(typed) == complete


class Names:
    """A catalog of two databases."""

    def databases(self) -> list[str]:
        return ["bronze", "silver"]

    def tables(self, database: str) -> Sequence[Table]:
        columns = [Column("order_id", "bigint", ""), Column("Amount", "double", ""), Column("2nd", "date", "")]
        found = {"silver": ["orders", "orders_late", "customers"], "bronze": ["raw-orders"]}[database]
        return [Table(database, name, "", "Iceberg", "", "", columns if name == "orders" else ()) for name in found]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("SELECT * FROM ord", ["orders", "orders_late"]),
        ("SELECT * FROM ", ["bronze", "customers", "orders", "orders_late", "silver"]),
        ("SELECT * FROM bronze.r", ['"raw-orders"']),
        ("SELECT 1; SELECT o| FROM orders", None),
        ("SELECT order_| FROM orders", ["order_id"]),
        ("SELECT x.| FROM silver.orders AS x", ['"2nd"', '"Amount"', "order_id"]),
        ('SELECT "A| FROM orders', ['"Amount"']),
        ("SELECT * FROM customers WHERE order_", []),
        ("sel", ["select"]),
        ("SEL", ["SELECT"]),
        ("SELECT approx_d", ["approx_distinct"]),
        ("SELECT 'ord", []),
        ("SELECT 1 -- ord", []),
        ("SELECT 'a' || element_", ["element_at"]),
        ("\\", ["\\c", "\\d"]),
        ("\\c si", ["silver"]),
        ("\\d cu", ["customers"]),
        ("INSERT INTO orders_", ["orders_late"]),
    ],
)
def test_what_is_completed(typed: str, wanted: list[str] | None) -> None:
    before, _, after = typed.partition("|") if "||" not in typed else (typed, "", "")
    completer = SqlCompleter(Names(), lambda: "silver", ["\\d", "\\c"])  # type: ignore[arg-type]
    found = completer.get_completions(Document(before + after, len(before)), CompleteEvent())
    texts = sorted(each.text for each in found)
    if wanted is None:
        assert {"order_id", "orders", "OR", "ORDER"} <= set(texts) | {text.upper() for text in texts}
    else:
        assert texts == wanted


def test_the_words_that_are_completed_are_athenas() -> None:
    assert set(FUNCTIONS) == ALL_NAMES
    assert all(re.fullmatch(r"[A-Z_]+", word) for word in KEYWORDS)
