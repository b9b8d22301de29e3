"""SQL of derived columns and checks: what is taken, what is refused, and what it gives in the local Athena."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spec.athena_values import in_athena
from spec.expression_cases import CASES, COLUMNS, all_rows, problems

from lakectl.local.athena.session import Session
from lakectl.spec import expressions
from lakectl.spec.expressions import Refused, UnknownColumn, compile_sql, typed
from lakectl.spec.sql_functions import FUNCTIONS


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return Session(tmp_path_factory.mktemp("duckdb"))


@pytest.mark.parametrize(("sql", "rows"), CASES, ids=[case[0] for case in CASES])
def test_what_it_gives_in_athena(session: Session, sql: str, rows: Any) -> None:
    found = typed(sql, COLUMNS)
    got = dict(zip(map(repr, all_rows()), in_athena(session, found.athena), strict=True))
    assert problems(sql, rows, got) == []


def test_every_function_has_a_case_and_its_example_is_taken() -> None:
    for name, function in FUNCTIONS.items():
        assert any(f"{name}(" in sql for sql, _ in CASES), name
        assert typed(function.example, COLUMNS).kind


REFUSED = [
    ("i / b", "/: int by bigint gives another value in Athena than in Spark"),
    ("m / 3", "/: decimal(10,2) by int gives another value in Athena than in Spark"),
    ("m % 3", "%: decimal(10,2) and int is not supported; it takes integers"),
    ("m * m * m * m", "*: the result needs 41 digits; a decimal has at most 38"),
    ("substr(s, 0)", "substr: 0 is not allowed; positions count from 1, lengths from 0"),
    ("substr(s, -2)", "substr: -2 is not allowed; positions count from 1, lengths from 0"),
    ("substr(s, 9000000000)", "substr: 9000000000 is not allowed; positions count from 1, lengths from 0"),
    ("date_add('day', 9000000000, d)", "date_add: 9000000000 is not allowed; at most 4000000 days"),
    ("replace(s, '', 'x')", "replace: the text to look for must be written in quotes, and not be empty"),
    ("round(x, i)", "round: the number of decimal places must be written as a number from 0 to 15"),
    ("date_trunc('decade', d)", "date_trunc: the first argument must be one of 'year', 'quarter', 'month', 'week',"),
    ("date_trunc('hour', d)", "date_trunc: the first argument must be one of 'year', 'quarter', 'month', 'week',"),
    ("hour(d)", "hour: expected a timestamp, found date"),
    ("d - d", "-: date and date is not supported"),
    ("d + 1", "+: date and int is not supported"),
    ("d + INTERVAL '1' HOUR", "+ INTERVAL: date takes year, month, day"),
    ("i = '1'", "=: int and string can't be compared or mixed"),
    ("d = '2025-01-01'", "=: date and string can't be compared or mixed"),
    ("f < TRUE", "<: boolean values have no order"),
    ("s LIKE s", "LIKE takes a text and a pattern in quotes"),
    (r"s LIKE 'a\%'", "LIKE: a backslash in a pattern means another thing in Athena than in Spark"),
    ("s LIKE 'a!%' ESCAPE '!'", "LIKE … ESCAPE is not supported"),
    ("s ILIKE 'a'", "ILIKE is not supported"),
    ("s || i", "concat: expected text, found int"),
    ("CAST(x AS string)", "CAST of double AS string gives another text in Athena than in Spark"),
    ("CAST(t AS string)", "CAST of timestamp AS string gives another text in Athena than in Spark"),
    ("CAST(i AS boolean)", "CAST of int AS boolean is not supported"),
    ("CAST(i AS varchar(3))", "CAST: 'varchar(3)' is not a type"),
    ("CAST(s AS bigint FORMAT 'x')", "cast with format is not supported"),
    ("CASE WHEN f THEN 1 ELSE s END", "CASE: int and string can't be compared or mixed"),
    ("CASE WHEN i THEN 1 END", "WHEN: expected true or false, found int"),
    ("f IS TRUE", "IS takes NULL or NOT NULL only"),
    ("i IS DISTINCT FROM 1", "IS DISTINCT FROM is not supported"),
    ("DATE '2025-02-30'", "'2025-02-30' is not a date"),
    ("TIMESTAMP '2025-02-03'", "'2025-02-03' is not a timestamp; expected for example TIMESTAMP '2025-10-04 12:30:00'"),
    ("nvl(i, 0)", "nvl is not a function that is known here"),
    ("extract(year FROM d)", "not SQL: expecting )"),
    ("rand() < 1", "rand gives another value each time"),
    ("d < current_date", "current_date gives another value each time"),
    ("d < localtime", "localtime gives another value each time"),
    ("sum(i)", "sum is an aggregate"),
    ("sum(i) FILTER (WHERE f)", "a window or an aggregate is not allowed"),
    ("row_number()", "row_number is a window function"),
    ("(SELECT 1)", "a subquery is not allowed"),
    ("EXISTS (SELECT 1)", "a subquery is not allowed"),
    ("SELECT 1", "a subquery is not allowed"),
    ("i; i", "not one expression: it holds ';'"),
    ("i, b", "not one expression"),
    ("i AS j", "not one expression"),
    ("i) + (b", "not SQL: a ')' without its '('"),
    ("'abc", "not SQL: a quote or a comment has no end"),
    ("i FROM t", "not SQL: expecting )"),
    ("", "no SQL; expected an expression"),
    ("-- nothing", "not one expression"),
    ("i = ?", "parameters are not allowed"),
    ("s[1]", "[…] is not supported"),
    ("1" * 39 + ".5", f"{'1' * 39}.5 has more than 38 digits"),
    ("99999999999999999999", "99999999999999999999 is too large"),
    ("(" * 250 + "i" + ")" * 250, "more than 200 parentheses within each other"),
    ("upper(" * 20 + "s" + ")" * 20, "too long; split it into several derived columns"),
    ("+".join(["i"] * 3000), "the expression is nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "says"), REFUSED, ids=[case[0][:40] for case in REFUSED])
def test_what_is_not_on_the_list_is_refused_by_name(sql: str, says: str) -> None:
    with pytest.raises(Refused) as caught:
        typed(sql, COLUMNS)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_an_unknown_column_is_named_as_written() -> None:
    with pytest.raises(UnknownColumn) as caught:
        compile_sql("Amount > 0 AND i > 0", COLUMNS, "boolean")
    assert caught.value.column == "Amount"
    with pytest.raises(UnknownColumn, match=r"'t\.i'"):
        typed("t.i", COLUMNS)


def test_columns_are_compared_without_case_and_listed_in_order_each_once() -> None:
    found = compile_sql('  X > I AND "b" < i -- as written\n', COLUMNS, "boolean")
    assert found.columns == ("x", "i", "b")
    assert found.text == 'X > I AND "b" < i -- as written'
    assert found.spark == "((`x` > CAST(`i` AS DOUBLE)) AND (`b` < `i`))"
    assert found.athena == '(("x" > CAST("i" AS DOUBLE)) AND ("b" < "i"))'


@pytest.mark.parametrize(
    ("sql", "kind", "says"),
    [
        ("i", "bigint", None),
        ("1", "decimal(5,2)", None),
        ("m", "decimal(12,3)", None),
        ("b", "decimal(19,0)", None),
        ("b", "decimal(20,2)", "the expression is bigint, not decimal(20,2)"),
        ("NULL", "date", None),
        ("b", "int", "the expression is bigint, not int"),
        ("i", "double", "the expression is int, not double"),
        ("x", "decimal(10,2)", "the expression is double, not decimal(10,2)"),
        ("m", "decimal(10,1)", "the expression is decimal(10,2), not decimal(10,1)"),
        ("i", "boolean", "the expression is int; expected a predicate, which is true or false"),
    ],
)
def test_the_value_must_fit_the_declared_type(sql: str, kind: str, says: str | None) -> None:
    if says is None:
        compile_sql(sql, COLUMNS, kind)
        return
    with pytest.raises(Refused) as caught:
        compile_sql(sql, COLUMNS, kind)
    assert str(caught.value) == says


def test_sqlglot_is_read_only_when_there_is_sql() -> None:
    import subprocess
    import sys

    program = "import sys, lakectl.config; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_page_of_the_docs_is_up_to_date() -> None:
    from spec.expressions_page import page

    path = Path(__file__).parents[2] / "docs/expressions.md"
    assert path.read_text(encoding="utf-8") == page(), "write it again: python tests/spec/expressions_page.py"
    assert expressions.__doc__
