"""SQL that derived columns and checks may use, with values: for Athena here, for Spark in tests/jobs.

A case is an expression and rows of (the columns it needs, what it gives). Every expression is computed over the rows
of all cases, in both engines: none may fail, and both must give the same.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

COLUMNS = {
    "i": "int", "b": "bigint", "x": "double", "m": "decimal(10,2)", "s": "string", "d": "date", "t": "timestamp",
    "f": "boolean",
}  # fmt: skip
MOST, LEAST = 2**63 - 1, -(2**63)
NOON = datetime(2025, 10, 4, 12, 30, 45, 123456)
BEFORE = datetime(1969, 12, 31, 23, 59, 59, 999999)
LEAP = date(2024, 2, 29)

Rows = list[tuple[dict[str, Any], Any]]


def of(column: str, *pairs: tuple[Any, Any]) -> Rows:
    """Rows that differ in one column; NULL gives NULL."""
    return [*(({column: value}, result) for value, result in pairs), ({column: None}, None)]


CASES: list[tuple[str, Rows]] = [
    # ---- literals
    ("1", [({}, 1)]),
    ("3000000000", [({}, 3000000000)]),
    ("-5", [({}, -5)]),
    ("- -5", [({}, 5)]),
    ("1.50", [({}, Decimal("1.50"))]),
    (".5", [({}, Decimal("0.5"))]),
    ("1.5e3", [({}, 1500.0)]),
    ("TRUE", [({}, True)]),
    ("'it''s'", [({}, "it's")]),
    (r"'a\n\\b'", [({}, r"a\n\\b")]),
    ("'${x} $1 {0} %'", [({}, "${x} $1 {0} %")]),
    ("'é😀'", [({}, "é😀")]),
    ("DATE '2024-02-29'", [({}, LEAP)]),
    ("TIMESTAMP '2025-10-04 12:30:45.123456'", [({}, NOON)]),
    ("CAST(NULL AS bigint)", [({}, None)]),
    # ---- numbers
    ("i + 1", of("i", (7, 8), (2147483647, 2147483648))),
    ("b + 1", of("b", (7, 8), (MOST, None))),
    ("b - 1", of("b", (7, 6), (LEAST, None))),
    ("b * 2", of("b", (7, 14), (MOST, None), (LEAST, None))),
    ("i * b", [({"i": 3, "b": 4}, 12), ({"i": 3, "b": MOST}, None), ({"i": 3}, None)]),
    ("-b", of("b", (7, -7), (LEAST, None))),
    ("-x", of("x", (2.5, -2.5))),
    ("x + i", [({"x": 0.5, "i": 7}, 7.5), ({"x": 0.5}, None)]),
    ("x - 0.25", of("x", (0.5, 0.25))),
    ("x * x", of("x", (1.5, 2.25), (1e200, float("inf")))),
    ("m + 1", of("m", (Decimal("0.05"), Decimal("1.05")), (Decimal("99999999.99"), Decimal("100000000.99")))),
    ("m + b", [({"m": Decimal("0.05"), "b": MOST}, Decimal(MOST) + Decimal("0.05"))]),
    ("m - m * 2", of("m", (Decimal("0.05"), Decimal("-0.05")), (Decimal("99999999.99"), Decimal("-99999999.99")))),
    ("m * m", of("m", (Decimal("0.05"), Decimal("0.0025")), (Decimal("-1.10"), Decimal("1.21")))),
    ("m * 1.125", of("m", (Decimal("1.01"), Decimal("1.13625")))),
    ("-m", of("m", (Decimal("0.05"), Decimal("-0.05")))),
    ("x / i", [({"x": 1.0, "i": 4}, 0.25), ({"x": 1.0, "i": 0}, None), ({"x": 0.0, "i": 0}, None)]),
    ("CAST(i AS double) / b", [({"i": 1, "b": 3}, 1 / 3), ({"i": 1, "b": 0}, None)]),
    ("i % 3", of("i", (7, 1), (-7, -1), (0, 0))),
    ("b % i", [({"b": 7, "i": 0}, None), ({"b": LEAST, "i": -1}, 0), ({"b": -7, "i": 3}, -1)]),
    ("abs(i)", of("i", (-7, 7), (-(2**31), 2**31))),
    ("abs(b)", of("b", (-7, 7), (LEAST, None))),
    ("abs(x)", of("x", (-2.5, 2.5))),
    ("abs(m)", of("m", (Decimal("-2.50"), Decimal("2.50")))),
    ("round(x)", of("x", (2.5, 3.0), (-2.5, -3.0), (2.4, 2.0), (0.5, 1.0))),
    ("round(x, 2)", of("x", (2.345, 2.35), (-2.345, -2.35), (1.005, 1.0), (1.0, 1.0))),
    ("round(m, 1)", of("m", (Decimal("2.25"), Decimal("2.3")), (Decimal("-2.25"), Decimal("-2.3")),
                       (Decimal("99999999.99"), Decimal("100000000.0")))),
    ("round(m, 5)", of("m", (Decimal("2.25"), Decimal("2.25")))),
    ("round(i)", of("i", (7, 7))),
    ("floor(x)", of("x", (2.5, 2.0), (-2.5, -3.0), (1e300, 1e300))),
    ("ceil(x)", of("x", (2.5, 3.0), (-2.5, -2.0), (-1e300, -1e300))),
    ("floor(m)", of("m", (Decimal("2.50"), Decimal(2)), (Decimal("-2.50"), Decimal(-3)))),
    ("ceil(m)", of("m", (Decimal("99999999.99"), Decimal(100000000)), (Decimal("-2.50"), Decimal(-2)))),
    ("floor(i)", of("i", (7, 7))),
    # ---- comparison and logic
    ("i = 7", of("i", (7, True), (8, False))),
    ("i <> 7", of("i", (7, False), (8, True))),
    ("i != b", [({"i": 7, "b": 7}, False), ({"i": 7, "b": MOST}, True), ({"i": 7}, None)]),
    ("i < x", [({"i": 2, "x": 2.5}, True), ({"i": 3, "x": 2.5}, False)]),
    ("CAST(m AS decimal(38,30)) > 0", of("m", (Decimal("2.50"), True), (Decimal("-0.05"), False))),
    ("m <= 2.505", of("m", (Decimal("2.50"), True), (Decimal("2.51"), False))),
    ("m > i", [({"m": Decimal("2.50"), "i": 2}, True), ({"m": Decimal("2.50"), "i": 3}, False)]),
    ("x >= m", [({"x": 2.5, "m": Decimal("2.50")}, True), ({"x": 2.25, "m": Decimal("2.50")}, False)]),
    ("s > 'Z'", of("s", ("a", True), ("A", False), ("é", True), ("", False))),
    ("s = 'a'", of("s", ("a", True), ("a ", False), ("A", False))),
    ("d < t", [({"d": LEAP, "t": NOON}, True), ({"d": date(2025, 10, 5), "t": NOON}, False)]),
    ("d >= DATE '2024-02-29'", of("d", (LEAP, True), (date(2024, 2, 28), False))),
    ("t > TIMESTAMP '2025-10-04 12:30:45'", of("t", (NOON, True), (BEFORE, False))),
    ("f = TRUE", of("f", (True, True), (False, False))),
    ("NOT f", of("f", (True, False), (False, True))),
    ("f AND i > 0", [({"f": True, "i": 1}, True), ({"f": True}, None), ({"f": False}, False)]),
    ("f OR i > 0", [({"f": True}, True), ({"f": False}, None), ({"f": False, "i": 1}, True)]),
    ("i BETWEEN 1 AND 3", of("i", (1, True), (3, True), (4, False))),
    ("i NOT BETWEEN 1 AND 3", of("i", (1, False), (4, True))),
    ("d BETWEEN DATE '2024-01-01' AND DATE '2024-12-31'", of("d", (LEAP, True), (date(2025, 1, 1), False))),
    ("i IN (1, 2.5, 3)", of("i", (1, True), (2, False))),
    ("s IN ('a', 'b')", of("s", ("a", True), ("c", False))),
    ("s NOT IN ('a', NULL)", of("s", ("a", False), ("c", None))),
    ("s IS NULL", [({"s": "a"}, False), ({"s": None}, True), ({"s": ""}, False)]),
    ("s IS NOT NULL", [({"s": "a"}, True), ({"s": None}, False)]),
    ("s LIKE 'a_c%'", of("s", ("abc", True), ("aéc\ndef", True), ("a😀cd", True), ("ac", False), ("ABC", False))),
    ("s NOT LIKE '%.%'", of("s", ("a.c", False), ("abc", True))),
    ("s LIKE 'a%[b]^$'", of("s", ("ax[b]^$", True), ("ab", False))),
    ("CASE WHEN i > 0 THEN 'plus' WHEN i < 0 THEN s END", [
        ({"i": 1}, "plus"), ({"i": -1, "s": "x"}, "x"), ({"i": 0}, None), ({"i": None}, None),
    ]),
    ("CASE i WHEN 1 THEN 1 WHEN 2 THEN 2.5 ELSE m END", [
        ({"i": 1}, Decimal(1)), ({"i": 2}, Decimal("2.5")), ({"i": 3, "m": Decimal("0.05")}, Decimal("0.05")),
    ]),
    ("coalesce(i, b, 0)", [({"i": 1}, 1), ({"b": MOST}, MOST), ({}, 0)]),
    ("coalesce(x, i)", [({"x": 0.5}, 0.5), ({"i": 2}, 2.0), ({}, None)]),
    ("nullif(i, 7)", of("i", (7, None), (8, 8))),
    ("nullif(s, '')", of("s", ("", None), (" ", " "))),
    # ---- text
    ("lower(s)", of("s", ("AbÉ😀", "abé😀"), ("", ""), ("ΟΔΟΣ", "οδοσ"), ("İI", "ii"), ("ẞ", "ß"))),
    ("upper(s)", of("s", ("abé😀", "ABÉ😀"), ("Straße", "STRAßE"), ("ﬁx ŉ ᾳ ᾀ ᾈ", "ﬁX ŉ ᾼ ᾈ ᾈ"), ("ẞ", "ẞ"))),
    ("trim(s)", of("s", ("  a b ", "a b"), ("\t a\n", "\t a\n"))),
    ("ltrim(s)", of("s", ("  a ", "a "))),
    ("rtrim(s)", of("s", ("  a ", "  a"))),
    ("length(s)", of("s", ("abc", 3), ("é😀", 2), ("", 0))),
    ("substr(s, 2)", of("s", ("abc", "bc"), ("é😀x", "😀x"), ("a", ""))),
    ("substr(s, 2, 1)", of("s", ("abc", "b"), ("", ""))),
    ("substr(s, 1, 0)", of("s", ("abc", ""))),
    ("substr(s, i)", [({"s": "abc", "i": 3}, "c"), ({"s": "abc", "i": 0}, None), ({"s": "abc", "i": -1}, None)]),
    ("substr(s, 1, b)", [({"s": "abc", "b": 2}, "ab"), ({"s": "abc", "b": -1}, None), ({"s": "abc", "b": MOST}, None)]),
    ("s || '!'", of("s", ("abc", "abc!"), ("", "!"))),
    ("concat(s, '-', s)", of("s", ("a", "a-a"))),
    ("replace(s, 'a', 'oo')", of("s", ("banana", "boonoonoo"), ("x", "x"))),
    ("strpos(s, 'b')", of("s", ("abcb", 2), ("x", 0), ("éb", 2))),
    ("strpos(s, '')", of("s", ("abc", 1))),
    ("starts_with(s, 'ab')", of("s", ("abc", True), ("a", False), ("", False))),
    # ---- dates and times
    ("year(d)", of("d", (LEAP, 2024), (date(2, 1, 1), 2), (date(9998, 12, 31), 9998))),
    ("quarter(d)", of("d", (LEAP, 1), (date(2024, 12, 31), 4))),
    ("month(d)", of("d", (LEAP, 2))),
    ("week(d)", of("d", (date(2024, 12, 30), 1), (date(2021, 1, 1), 53))),
    ("day(d)", of("d", (LEAP, 29))),
    ("day_of_week(d)", of("d", (date(2024, 12, 30), 1), (date(2025, 10, 5), 7))),
    ("year(t)", of("t", (NOON, 2025), (BEFORE, 1969))),
    ("hour(t)", of("t", (NOON, 12), (BEFORE, 23))),
    ("minute(t)", of("t", (NOON, 30))),
    ("second(t)", of("t", (NOON, 45), (BEFORE, 59))),
    ("date_trunc('month', d)", of("d", (LEAP, date(2024, 2, 1)))),
    ("date_trunc('week', d)", of("d", (LEAP, date(2024, 2, 26)))),
    ("date_trunc('quarter', d)", of("d", (date(2024, 12, 31), date(2024, 10, 1)))),
    ("date_trunc('hour', t)", of("t", (NOON, datetime(2025, 10, 4, 12)), (BEFORE, datetime(1969, 12, 31, 23)))),
    ("date_trunc('second', t)", of("t", (NOON, datetime(2025, 10, 4, 12, 30, 45)))),
    ("date_trunc('year', t)", of("t", (BEFORE, datetime(1969, 1, 1)))),
    ("d + INTERVAL '1' DAY", of("d", (LEAP, date(2024, 3, 1)))),
    ("d - INTERVAL '1' MONTH", of("d", (date(2024, 3, 31), LEAP))),
    ("d + INTERVAL '1' YEAR", of("d", (LEAP, date(2025, 2, 28)))),
    ("t + INTERVAL '90' MINUTE", of("t", (NOON, datetime(2025, 10, 4, 14, 0, 45, 123456)))),
    ("t - INTERVAL '1' SECOND", of("t", (NOON, datetime(2025, 10, 4, 12, 30, 44, 123456)))),
    ("date_add('day', i, d)", [
        ({"i": 1, "d": LEAP}, date(2024, 3, 1)), ({"i": -1, "d": LEAP}, date(2024, 2, 28)),
        ({"i": 2147483647, "d": LEAP}, None), ({"d": LEAP}, None),
    ]),
    ("date_diff('day', d, DATE '2025-01-01')", of("d", (date(2024, 12, 30), 2), (date(2025, 1, 3), -2))),
    # ---- conversion
    ("CAST(i AS bigint)", of("i", (7, 7))),
    ("CAST(b AS int)", of("b", (7, 7), (MOST, None), (-(2**31), -(2**31)))),
    ("CAST(x AS bigint)", of("x", (2.5, 3), (-2.5, -3), (1e300, None), (0.4, 0))),
    ("CAST(x AS int)", of("x", (2.5, 3), (3e9, None))),
    ("CAST(m AS int)", of("m", (Decimal("2.50"), 3), (Decimal("-2.50"), -3), (Decimal("2.49"), 2))),
    ("CAST(i AS double)", of("i", (7, 7.0))),
    ("CAST(m AS double)", of("m", (Decimal("0.05"), 0.05))),
    ("CAST(i AS decimal(5,2))", of("i", (7, Decimal(7)), (1000, None))),
    ("CAST(x AS decimal(5,1))", of("x", (2.25, Decimal("2.3")), (1e300, None))),
    ("CAST(m AS decimal(5,1))", of("m", (Decimal("2.25"), Decimal("2.3")), (Decimal("99999999.99"), None))),
    ("CAST(f AS int)", of("f", (True, 1), (False, 0))),
    ("CAST(i AS string)", of("i", (-7, "-7"))),
    ("CAST(m AS string)", of("m", (Decimal("2.50"), "2.50"), (Decimal("0.00"), "0.00"), (Decimal("-0.05"), "-0.05"))),
    ("CAST(f AS string)", of("f", (True, "true"))),
    ("CAST(d AS string)", of("d", (LEAP, "2024-02-29"))),
    ("CAST(s AS int)", of("s", ("12", 12), ("-12", -12), (" 12", None), ("12.5", None), ("", None), ("1-2", None))),
    ("CAST(s AS bigint)", of("s", (str(MOST), MOST), (str(MOST + 1), None), ("x", None), ("12\n", None))),
    ("CAST(s AS double)", of("s", ("1.5", 1.5), ("-1e3", -1000.0), ("NaN", None), ("1,5", None), ("1d", None))),
    ("CAST(s AS decimal(5,2))", of("s", ("1.5", Decimal("1.5")), ("1.555", Decimal("1.56")), ("1000", None),
                                   ("1e2", None), ("-", None))),
    ("CAST(s AS date)", of("s", ("2024-02-29", LEAP), ("2023-02-29", None), ("2024-2-9", None), ("2024", None),
                           (" 2024-02-29", None), ("2024-02-29 10:00:00", None))),
    ("CAST(s AS timestamp)", of("s", ("2025-10-04 12:30:45", datetime(2025, 10, 4, 12, 30, 45)), ("2025-10-04", None),
                                ("2025-10-04 12:30:99", None))),
    ("date_trunc('month', CAST(s AS date))", of("s", ("2024-02-29", date(2024, 2, 1)), ("x", None))),
    ("CAST(s AS date) + INTERVAL '1' DAY", of("s", ("2024-02-29", date(2024, 3, 1)))),
    ("CAST(f AS bigint)", of("f", (True, 1), (False, 0))),
    ("nullif(i, 9000000000)", of("i", (7, 7))),
    ("CAST(t AS date)", of("t", (NOON, date(2025, 10, 4)), (BEFORE, date(1969, 12, 31)))),
    ("CAST(d AS timestamp)", of("d", (LEAP, datetime(2024, 2, 29)))),
]  # fmt: skip


def all_rows() -> list[dict[str, Any]]:
    """The rows of all cases, each once and with every column."""
    found: dict[str, dict[str, Any]] = {}
    for _, rows in CASES:
        for given, _ in rows:
            row = {column: given.get(column) for column in COLUMNS}
            found[repr(row)] = row
    return list(found.values())


def problems(sql: str, rows: Rows, got: dict[str, Any]) -> list[str]:
    """Where ``got`` (row as text -> value) is not what the case expects."""
    found = []
    for given, expected in rows:
        row = repr({column: given.get(column) for column in COLUMNS})
        if not same(got[row], expected):
            found.append(f"{sql} of {given}: expected {expected!r}, got {got[row]!r}")
    return found


def same(one: Any, other: Any) -> bool:
    """Numbers by their value; a boolean is no number, a date no timestamp. NaN is NaN."""
    if one is None or other is None or isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, datetime) != isinstance(other, datetime):
        return False
    return bool(one == other) or (one != one and other != other)
