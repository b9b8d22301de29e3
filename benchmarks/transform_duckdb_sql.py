"""The statements of ``transform_duckdb``. What counts as readable is what ``jobs/lake/parsing.py`` says."""

# ruff: noqa: S608 - it reads files that the benchmark has put there

from __future__ import annotations

COLUMNS = {
    "customers": {"customer_id": "BIGINT", "customer_name": "VARCHAR", "region": "VARCHAR", "signup_date": "DATE"},
    "products": {"product_id": "BIGINT", "product_name": "VARCHAR", "category": "VARCHAR", "list_price": "DOUBLE"},
    "orders": {
        "order_id": "BIGINT", "order_date": "DATE", "customer_id": "BIGINT", "product_id": "BIGINT", "qty": "INTEGER",
        "unit_price": "DOUBLE", "channel": "VARCHAR",
    },
}  # fmt: skip
STAMP = ("ingest_date", "ingest_batch", "landed_at", "source_version")
CONTENT = (*(name for name in COLUMNS["orders"] if name != "order_id"), "region", "category", "sales_amount")
COMPARED = ("order_id", *CONTENT, *STAMP)
STAMPS = (
    "CREATE TABLE landings (landing INTEGER, ingest_date DATE, ingest_batch VARCHAR, landed_at TIMESTAMPTZ, "
    "source_version VARCHAR, source_file VARCHAR)"
)
TABLES = ";".join(
    (
        STAMPS,
        *(
            f"CREATE TABLE {source} (landing INTEGER, "
            f"{', '.join(f'{name} {kind}' for name, kind in columns.items())}, bad BOOLEAN)"
            for source, columns in COLUMNS.items()
        ),
    )
)
# Landings are few: their stamps are joined at the end, and not carried along with each row.
SHAPED = (
    f"SELECT {', '.join(COLUMNS['orders'])}, region, category, sales_amount, ingest_batch, ingest_date, source_file, "
    "source_version, landed_at, now() AS loaded_at FROM delta JOIN landings USING (landing)"
)


def read(source: str, number: int, file: str, header: list[str]) -> str:
    """Append the file's rows. A row with more or fewer fields than the header, or not in UTF-8, fails it.

    Nothing is detected: what DuckDB makes of a file with broken rows by itself may leave out lines.
    """
    columns = COLUMNS[source]
    fields = ", ".join(f"'{name}': 'VARCHAR'" for name in header)
    texts = ", ".join(f"nullif(trim({name}), '') AS raw_{name}" for name in columns)
    values = ", ".join(f"{_parsed(f'raw_{name}', kind)} AS {name}" for name, kind in columns.items())
    bad = " OR ".join(
        f"{name} IS NULL" if _required(source, name) else f"({name} IS NULL AND raw_{name} IS NOT NULL)"
        for name, kind in columns.items()
        if kind != "VARCHAR"
    )
    return (
        f"INSERT INTO {source} SELECT {number}, {', '.join(columns)}, {bad} FROM (SELECT *, {values} FROM "
        f"(SELECT {texts} FROM read_csv('{file}', columns = {{{fields}}}, auto_detect = false, header = true, "
        "delim = ',', quote = '\"', escape = '\"')))"
    )


def gate(source: str) -> str:
    """One row for each landing: how many rows and keys, and how many of them are wrong in which way."""
    columns = COLUMNS[source]
    key = next(iter(columns))
    quantities = "count_if(qty <= 0)" if source == "orders" else "0"
    return (
        "SELECT landing, sum(rows) AS rows, count(*) AS keys, sum(bad) AS bad, count_if(clash) AS clashes, "
        f"sum(quantities) AS quantities, min({key}) AS lowest, max({key}) AS highest FROM ("
        f"SELECT landing, {key}, count(*) AS rows, count_if(bad) AS bad, {quantities} AS quantities, "
        f"min(hash({', '.join(columns)})) <> max(hash({', '.join(columns)})) AND {key} IS NOT NULL AS clash "
        f"FROM {source} GROUP BY landing, {key}) GROUP BY landing"
    )


def delta(refused: list[int], *, each_once: bool) -> str:
    """Table ``delta``: the incoming orders, enriched, each once, with what each means for ``silver``."""
    taken = f"landing NOT IN ({', '.join(map(str, refused))})" if refused else "true"
    newest = "" if each_once else f"QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY {_stamp('l')} DESC) = 1"
    same = " AND ".join(f"n.{name} IS NOT DISTINCT FROM o.{name}" for name in CONTENT)
    return f"""
    CREATE OR REPLACE TABLE delta AS
    WITH {_newest("customers", "customer_id", "region", taken)}, {_newest("products", "product_id", "category", taken)},
    news AS (
        SELECT {", ".join(f"i.{name}" for name in COLUMNS["orders"])}, landing, region, category,
            qty::DOUBLE * unit_price AS sales_amount, c.customer_id IS NULL AS unknown_customer,
            p.product_id IS NULL AS unknown_product, l.* EXCLUDE (landing)
        FROM (SELECT * FROM orders WHERE {taken}) i JOIN landings l USING (landing)
        LEFT JOIN newest_customers c ON c.customer_id = i.customer_id
        LEFT JOIN newest_products p ON p.product_id = i.product_id
        {newest})
    SELECT n.* EXCLUDE ({", ".join((*STAMP, "source_file"))}), CAST(CASE
            WHEN o.order_id IS NULL THEN 'insert'
            WHEN {_stamp("n")} < {_stamp("o")} THEN 'stale'
            WHEN NOT ({same}) THEN 'update'
            WHEN {_stamp("n")} > {_stamp("o")} THEN 'advance'
            ELSE 'unchanged' END AS ENUM ('insert', 'update', 'advance', 'unchanged', 'stale')) AS kind
    FROM news n LEFT JOIN silver o ON n.order_id = o.order_id
    """


_LATER = {"region": "VARCHAR", "category": "VARCHAR", "sales_amount": "DOUBLE", "landing": "INTEGER"}
EMPTY_DELTA = (
    f"CREATE TABLE delta ({', '.join(f'{name} {kind}' for name, kind in (COLUMNS['orders'] | _LATER).items())})"
)


def _newest(source: str, key: str, attribute: str, taken: str) -> str:
    stamp = _stamp("l")
    return (
        f"newest_{source} AS (SELECT {key}, arg_max_null({attribute}, {stamp}) AS {attribute} FROM {source} "
        f"JOIN landings l USING (landing) WHERE {taken} GROUP BY {key})"
    )


def _stamp(side: str) -> str:
    return f"row({', '.join(f'{side}.{name}' for name in STAMP)})"


def _required(source: str, name: str) -> bool:
    return source == "orders" or name == next(iter(COLUMNS[source]))


def _parsed(text: str, kind: str) -> str:
    if kind in ("BIGINT", "INTEGER"):  # a cast alone would take 1.5 and 1e3
        return f"CASE WHEN regexp_full_match({text}, '-?\\d+') THEN TRY_CAST({text} AS {kind}) END"
    if kind == "DATE":  # the length: else 1/2/2026 would do
        return f"CASE WHEN length({text}) = 10 THEN TRY_STRPTIME({text}, '%d/%m/%Y')::DATE END"
    return f"TRY_CAST({_money(text)} AS DOUBLE)" if kind == "DOUBLE" else text


def _money(text: str) -> str:
    ways = {
        r"-?\d+([.,]\d{1,2})?": f"replace({text}, ',', '.')",
        r"-?[1-9]\d{0,2}[.,]\d{3}": "NULL",  # 1.234 may be one thousand or one and a bit
        r"-?\d+[.,]\d+": f"replace({text}, ',', '.')",
        r"-?[1-9]\d{0,2}(\.\d{3})+,\d+": f"replace(replace({text}, '.', ''), ',', '.')",
        r"-?[1-9]\d{0,2}(,\d{3})+\.\d+": f"replace({text}, ',', '')",
        r"-?[1-9]\d{0,2}(\.\d{3}){2,}": f"replace({text}, '.', '')",
        r"-?[1-9]\d{0,2}(,\d{3}){2,}": f"replace({text}, ',', '')",
    }
    cases = (f"WHEN regexp_full_match({text}, '{way}') THEN {reading}" for way, reading in ways.items())
    return f"CASE {' '.join(cases)} END"
