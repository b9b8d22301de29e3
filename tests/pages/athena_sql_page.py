"""The part of docs/athena-sql.md that is made of the table of functions, the casts and the cases:
`PYTHONPATH=tests python -m pages.athena_sql_page` writes it. What stands around it is written by hand and stays.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

from athena.semantics import answer, cases

from lakectl.local.athena.analysis.calls import SPECIAL_NAMES
from lakectl.local.athena.analysis.casts import _CASTS
from lakectl.local.athena.functions import ALL_NAMES, TABLE, load
from lakectl.local.athena.functions.registry import Function
from lakectl.local.athena.session import Session

PAGE = Path(__file__).parents[2] / "docs" / "athena-sql.md"
BEGIN = "<!-- made of the code: PYTHONPATH=tests python -m pages.athena_sql_page -->\n"
END = "<!-- the end of what is made of the code -->\n"
INTERNAL = ("athena_recursion_ended", "all", "some")
TYPES = (
    "boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal(38,10)", "varchar", "varchar(10)",
    "char(3)", "varbinary", "date", "time", "time(6)", "time(9)", "time with time zone", "timestamp", "timestamp(6)",
    "timestamp(9)", "timestamp(3) with time zone", "timestamp(9) with time zone", "interval day to second",
    "interval year to month", "array(integer)", "map(varchar, integer)", "row(a integer)", "json", "uuid", "ipaddress",
    "hyperloglog", "tdigest", "qdigest(double)", "geometry",
)  # fmt: skip
ROWS = "FROM (VALUES (1, 'a'), (2, 'b')) AS t (x, y)"
# A statement for each clause: whether it is supported is what the local Athena answers.
CLAUSES = {
    "SELECT DISTINCT": f"SELECT DISTINCT x {ROWS}",
    "SELECT t.*, row.*": f"SELECT t.* {ROWS}",
    "VALUES": "VALUES (1, 'a')",
    "TABLE name": "WITH a AS (SELECT 1 AS x) TABLE a",
    "WITH": "WITH a (x) AS (SELECT 1) SELECT x FROM a",
    "WITH RECURSIVE": "WITH RECURSIVE a (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 3) "
    "SELECT max(n) FROM a",
    "WITH FUNCTION": "WITH FUNCTION f(x integer) RETURNS integer RETURN x SELECT f(1)",
    "JOIN … ON, USING": f"SELECT * {ROWS} JOIN (VALUES (1, 3)) AS u (x, z) USING (x)",
    "LEFT, RIGHT, FULL, CROSS JOIN": f"SELECT * {ROWS} FULL JOIN (VALUES 1) AS u (z) ON x = z",
    "NATURAL JOIN": f"SELECT * {ROWS} NATURAL JOIN (VALUES 1) AS u (x)",
    "LATERAL": f"SELECT * {ROWS}, LATERAL (SELECT x + 1 AS z) AS u",
    "UNNEST … WITH ORDINALITY": "SELECT * FROM UNNEST(ARRAY[1], ARRAY['a']) WITH ORDINALITY AS t (a, b, n)",
    "TABLESAMPLE": f"SELECT count(*) FROM (SELECT * {ROWS}) AS s TABLESAMPLE BERNOULLI (100)",
    "MATCH_RECOGNIZE": f"SELECT * FROM (SELECT x {ROWS}) MATCH_RECOGNIZE (ORDER BY x MEASURES A.x AS a PATTERN (A) "
    "DEFINE A AS x > 0)",
    "JSON_TABLE": "SELECT * FROM JSON_TABLE('[1]', 'lax $[*]' COLUMNS (a integer PATH 'lax $'))",
    "TABLE(sequence(…))": "SELECT count(*) FROM TABLE(sequence(start => 1, stop => 3))",
    "GROUP BY, HAVING": f"SELECT count(*) {ROWS} GROUP BY x HAVING x > 1",
    "GROUPING SETS, ROLLUP, CUBE, grouping()": f"SELECT x, grouping(x), count(*) {ROWS} GROUP BY ROLLUP (x)",
    "GROUP BY AUTO": f"SELECT x, count(*) {ROWS} GROUP BY AUTO",
    "FILTER, ORDER BY and DISTINCT in aggregates": f"SELECT array_agg(DISTINCT x ORDER BY x) FILTER (WHERE x > 0) "
    f"{ROWS}",
    "WITHIN GROUP": f"SELECT listagg(y, ',') WITHIN GROUP (ORDER BY y) {ROWS}",
    "LISTAGG … ON OVERFLOW": "SELECT listagg(y, ',' ON OVERFLOW TRUNCATE '…' WITH COUNT) WITHIN GROUP (ORDER BY y) "
    f"{ROWS}",
    "OVER, with ROWS, RANGE and GROUPS": f"SELECT sum(x) OVER (ORDER BY x GROUPS 1 PRECEDING) {ROWS}",
    "IGNORE NULLS": f"SELECT lag(x) IGNORE NULLS OVER (ORDER BY x) {ROWS}",
    "WINDOW": f"SELECT sum(x) OVER w {ROWS} WINDOW w AS (ORDER BY x)",
    "QUALIFY": f"SELECT x {ROWS} QUALIFY row_number() OVER (ORDER BY x) = 1",
    "UNION, INTERSECT, EXCEPT, ALL and DISTINCT": "SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 1",
    "UNION … CORRESPONDING": "SELECT 1 AS a UNION CORRESPONDING SELECT 2 AS a",
    "ORDER BY … NULLS FIRST": f"SELECT x {ROWS} ORDER BY x DESC NULLS FIRST",
    "LIMIT, OFFSET": f"SELECT x {ROWS} ORDER BY 1 OFFSET 1 LIMIT 1",
    "FETCH FIRST … WITH TIES": f"SELECT x {ROWS} ORDER BY x FETCH FIRST 1 ROW WITH TIES",
    "scalar subqueries, also correlated": f"SELECT (SELECT max(z) FROM (VALUES 1, 2) AS u (z) WHERE z <= x) {ROWS}",
    "IN, EXISTS, ANY, SOME, ALL of a subquery": f"SELECT x > ALL (SELECT 0), EXISTS (SELECT 1), x IN (SELECT 1) {ROWS}",
    "CASE, IF, COALESCE, NULLIF, TRY, TRY_CAST": "SELECT IF(true, 1), TRY(1 / 0), TRY_CAST('a' AS integer)",
    "BETWEEN SYMMETRIC": "SELECT 1 BETWEEN SYMMETRIC 2 AND 0",
    "LIKE … ESCAPE": "SELECT 'a_b' LIKE 'a$_b' ESCAPE '$'",
    "IS [NOT] DISTINCT FROM": "SELECT 1 IS NOT DISTINCT FROM NULL",
    "AT TIME ZONE": "SELECT TIMESTAMP '2025-01-01 00:00:00 UTC' AT TIME ZONE 'Asia/Tokyo'",
    "EXTRACT, POSITION, SUBSTRING … FROM, TRIM … FROM": "SELECT EXTRACT(year FROM DATE '2025-01-01'), "
    "TRIM(BOTH 'x' FROM 'x')",
    "lambda expressions": "SELECT transform(ARRAY[1], x -> x + 1)",
    "subscripts of arrays, maps and rows": "SELECT ARRAY[1][1], MAP(ARRAY[1], ARRAY[2])[1], ROW(1)[1]",
    "OVERLAPS": "SELECT (DATE '2025-01-01', DATE '2025-01-03') OVERLAPS (DATE '2025-01-02', DATE '2025-01-04')",
}


def page() -> str:
    """The page as it stands, with the part that is made of the code made again."""
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else f"{HEADER}{BEGIN}{END}"
    before, _, rest = written.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{generated()}{END}{after}"


HEADER = """\
# Athena's SQL on the local lake

The local Athena follows Athena engine version 3, which is [Trino](https://trino.io/docs/current/). A statement is
answered as Athena answers it, or it is refused: with Athena's own error where Athena refuses it too, else with
`NOT_SUPPORTED: … is not supported by the local Athena; it works on AWS`.

"""


def generated() -> str:
    load()
    return "\n".join([_counts(), _clauses(), _types(), _casts(), *_functions(), _missing()])


def _counts() -> str:
    rows = [row for rows in TABLE.values() for row in rows]
    found = list(cases())
    refused = sum(case.is_refused for case in found)
    return (
        "## What is in it\n\n"
        f"{len(TABLE)} functions with {sum(not _refused(row) for row in rows)} signatures, and {len(found)} cases in "
        "`tests/athena/cases/`, each with its source: Trino's documentation, Trino's own tests or AWS's user guide. "
        f"{len(found) - refused} of them are answered as there; {refused} ({refused / len(found):.1%}) are refused by "
        "name, and a test holds that this share only falls.\n"
    )


def _clauses() -> str:
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        answers = {name: answer(session, sql) for name, sql in CLAUSES.items()}
    lines = [f"| {name} | {'yes' if ' | ' in found else _why(found)} |" for name, found in answers.items()]
    return "## Clauses and expressions\n\n| | supported |\n|---|---|\n" + "\n".join(lines) + "\n"


def _why(found: str) -> str:
    code = found.partition(":")[0]
    return f"no: {'a syntax error' if code.startswith('line') else f'`{code}`'}"


def _types() -> str:
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        known = {kind: " | " in answer(session, f"SELECT CAST(NULL AS {kind})") for kind in TYPES}
    yes, no = ([f"`{kind}`" for kind in TYPES if known[kind] is wanted] for wanted in (True, False))
    return f"## Types\n\nKnown: {', '.join(yes)}.\n\nNot supported: {', '.join(no)}.\n"


def _casts() -> str:
    lines = [f"| `{given}` | {', '.join(f'`{kind}`' for kind in wanted)} |" for given, wanted in sorted(_CASTS.items())]
    return "### Casts\n\nBeside to the type itself:\n\n| from | to |\n|---|---|\n" + "\n".join(lines) + "\n"


def _refused(row: Function) -> bool:
    return row.returns == "unknown"


def _functions() -> list[str]:
    pages: dict[str, dict[str, list[Function]]] = {}
    for name, rows in sorted(TABLE.items()):
        for row in rows:
            pages.setdefault(row.page, {}).setdefault(name, []).append(row)
    written = Counter(word for case in cases() for word in set(re.findall(r"\b(\w+)\(", case.sql.lower())))
    parts = ["## Functions\n\nA letter stands for any type, `…` for one or more.\n"]
    for url, names in sorted(pages.items()):
        title = url.rpartition("/")[2].removesuffix(".html")
        lines = [f"### [{title}]({url})\n\n| function | signatures | cases |", "|---|---|---|"]
        lines += [f"| `{name}` | {_shown(rows)} | {written[name]} |" for name, rows in names.items()]
        parts.append("\n".join(lines) + "\n")
    special = sorted(f"`{name}`" for name in SPECIAL_NAMES - set(TABLE) if name not in INTERNAL)
    parts.append(f"With a syntax or types of their own: {', '.join(special)}.\n")
    return parts


def _shown(rows: list[Function]) -> str:
    shown = []
    for row in rows:
        arguments = ", ".join(row.arguments) + ("…" if row.variadic else "")
        shown.append(f"`({arguments})` refused" if _refused(row) else f"`({arguments}) → {row.returns}`")
    return "<br>".join(shown).replace("|", "\\|")


def _missing() -> str:
    names = sorted(set(ALL_NAMES) - set(TABLE) - SPECIAL_NAMES)
    return f"## Functions that are refused by name\n\n{len(names)}: {', '.join(f'`{name}`' for name in names)}.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
