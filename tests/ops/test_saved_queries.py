"""The header of a saved query, and the binding of its parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakectl import project, saved_queries
from lakectl.config import Config
from lakectl.errors import UsageError
from lakectl.naming import Names

NAMES = Names(Config(name="x", suffix_names=True), "123456789012", "eu-west-1")


def read(folder: Path, text: str) -> saved_queries.SavedQuery:
    path = folder / "orders.sql"
    path.write_text(text)
    return saved_queries.read(path, NAMES)


def test_a_header_is_read_and_the_statement_stays_as_it_is(tmp_path: Path) -> None:
    query = read(
        tmp_path,
        "-- title: Orders\n-- what a person says about it\n-- assert: a > 0\n-- Assert: b = 'x -- y'\n"
        "-- assert-rows: <= 7\n-- parameter: day = '2025-09-01'\n\n"
        "SELECT a, b -- not :this\nFROM retail_silver.t\nWHERE d = DATE :day AND e = '--;\n-- x' ; -- the end\n",
    )
    assert (query.name, query.title) == ("orders", "Orders")
    assert query.asserts == ("a > 0", "b = 'x -- y'")
    assert query.rows == ("<= 7",)
    assert query.sql.endswith("FROM retail_silver_x.t\nWHERE d = DATE :day AND e = '--;\n-- x'")
    assert query.parameters == ("day",)
    assert query.given == {"day": "'2025-09-01'"}
    assert query.judged.startswith("SELECT lakectl_result.*, coalesce((\na > 0\n), false) AS lakectl_assert_1")
    assert query.rows_failed(7) == []
    assert query.rows_failed(8) == ["<= 7"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("-- titel: Orders\nSELECT 1", 1, "unknown header key 'titel'"),
        ("-- title: A\n-- assert_rows: > 0\nSELECT 1", 2, "unknown header key 'assert_rows'"),
        ("-- title: A\n-- title: B\nSELECT 1", 2, "'title' is given twice"),
        ("-- assert:\nSELECT 1", 1, "'assert' says nothing"),
        ("-- assert a = 1\nSELECT 1 AS a", 1, "'-- assert a = 1' is no header line"),
        ("SELECT 1 AS a\n-- assert: a = 1", 2, "'assert' belongs above the statement"),
        ("-- assert-rows: more than 3\nSELECT 1", 1, "assert-rows 'more than 3' is no comparison"),
        ("-- assert: a = 1\nEXPLAIN SELECT 1 AS a", 1, "'assert' judges a SELECT, and this is EXPLAIN"),
        ("-- assert-plan: Scan\nSELECT 1", 1, "'assert-plan' judges an EXPLAIN, and this is SELECT"),
        ("-- parameter: a\nSELECT :a", 1, "parameter 'a' is not understood"),
        ("-- parameter: a = b'\nSELECT :a", 1, "is not understood"),
    ],
)
def test_a_header_that_is_not_understood_is_one_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    assert caught.value.message.startswith(f"{tmp_path / 'orders.sql'}:{line}: ")
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_without_a_statement_or_with_an_odd_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no statement"):
        read(tmp_path, "-- title: A\n-- a comment\n;\n")
    odd = tmp_path / "my query.sql"
    odd.write_text("SELECT 1")
    with pytest.raises(UsageError, match="can't be a query's name"):
        saved_queries.read(odd, NAMES)


def test_parameters_are_not_looked_for_in_texts_names_and_comments() -> None:
    sql = """SELECT ':a', 'it''s :b', ":c", a::d, x -- :e\n/* :f\n:g */ FROM t WHERE h = :h AND i = :i"""
    assert saved_queries.placeholders(sql) == ("h", "i")
    assert saved_queries.bind(sql, {"h": "1", "i": "x"}) == sql.replace(":h", "1").replace(":i", "'x'")


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        ("42", "42"),
        ("-1.5e3", "(-1.5e3)"),
        ("web", "'web'"),
        ("2025-09-01", "'2025-09-01'"),
        ("x' OR '1'='1", "'x'' OR ''1''=''1'"),
        ("1; DROP TABLE t", "'1; DROP TABLE t'"),
        ("1 --", "'1 --'"),
        ("", "''"),
        ("\u0663", "'\u0663'"),  # a digit elsewhere
    ],
)
def test_a_value_stays_one_literal(value: str, bound: str) -> None:
    assert saved_queries.bind("a = :v", {"v": value}) == f"a = {bound}"
    assert saved_queries.placeholders(f"a = {bound}") == ()


def test_a_value_that_looks_like_a_parameter_is_not_bound_again() -> None:
    assert saved_queries.bind(":a, :b", {"a": ":b", "b": ":a"}) == "':b', ':a'"


def test_the_shipped_queries_carry_expectations() -> None:
    shipped = saved_queries.load(project.find(), NAMES)
    assert [query.name for query in shipped if not (query.asserts or query.rows or query.plan)] == []


def test_a_config_of_its_own_never_gets_the_shipped_queries(tmp_path: Path) -> None:
    """Another lake's `validate` would run the tutorial's SQL."""
    config = tmp_path / "config" / "lake.yaml"
    config.parent.mkdir()
    config.write_text("name: mine\n")
    found = project.find(str(config))
    assert saved_queries.load(found, NAMES) == []
    assert found.jobs == project.find().jobs
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "pings.sql").write_text("SELECT 1")
    assert [query.name for query in saved_queries.load(found, NAMES)] == ["pings"]
