"""What somebody does with awswrangler (AWS SDK for pandas), part by part: run by the Python of `.venv-awswrangler`.

    python awswrangler_program.py WORKGROUP DATABASE PART...

The workgroup's name is also the bucket's. The table ``orders`` has two rows of (order_id int, amount double).
"""

from __future__ import annotations

import sys
from typing import Any

import awswrangler as wr
import pandas as pd
from client_parts import answer, part

WORKGROUP, DATABASE, *WANTED = sys.argv[1:]
BUCKET = f"s3://{WORKGROUP}"
HOW: dict[str, Any] = {"database": DATABASE, "workgroup": WORKGROUP}
TYPED = (
    "SELECT order_id, amount, DATE '2025-10-04' AS day, TIMESTAMP '2025-10-04 01:02:03.456' AS at,"
    " CAST('1.50' AS decimal(5, 2)) AS dec, 'é' AS text, CAST(NULL AS varchar) AS missing, true AS yes"
    " FROM orders ORDER BY order_id"
)
SALES = pd.DataFrame({"id": [1, 2, 3], "region": ["North", "South", "North"], "amount": [1.5, 2.5, 3.5]})


def typed(frame: pd.DataFrame) -> Any:
    frame = frame.sort_values("order_id")
    return [[str(value) for value in row] for row in frame.itertuples(index=False)]


def read(sql: str, **options: Any) -> Any:
    return wr.athena.read_sql_query(sql, **HOW, **options)


def rows(sql: str) -> Any:
    return read(sql, ctas_approach=False).values.tolist()


@part
def by_ctas() -> Any:
    frame = read(TYPED, ctas_approach=True)
    return [typed(frame), {name: str(kind) for name, kind in frame.dtypes.items() if name in ("order_id", "amount")}]


@part
def by_unload() -> Any:
    return typed(read(TYPED, ctas_approach=False, unload_approach=True, s3_output=f"{BUCKET}/unloaded/"))


@part
def by_csv() -> Any:
    return typed(read(TYPED, ctas_approach=False))


@part
def chunks() -> Any:
    many = "SELECT x FROM UNNEST(sequence(1, 2500)) AS t (x)"
    return [
        [len(each) for each in read(many, ctas_approach=False, chunksize=1000)],
        sum(len(each) for each in read(many, ctas_approach=True, chunksize=1000)),
    ]


@part
def parameters() -> Any:
    named = read(
        "SELECT order_id FROM orders WHERE amount > :least",
        ctas_approach=False,
        params={"least": 2},
        paramstyle="named",
    )
    marked = read("SELECT order_id FROM orders WHERE amount > ?", ctas_approach=False, params=["2"], paramstyle="qmark")
    return [named.values.tolist(), marked.values.tolist()]


@part
def dataset() -> Any:
    """Each mode of a dataset: what is in the table after it."""
    where: dict[str, Any] = {"path": f"{BUCKET}/sales/", "dataset": True, "database": DATABASE, "table": "sales"}
    where["partition_cols"] = ["region"]
    count = "SELECT region, count(*), sum(amount) FROM sales GROUP BY region ORDER BY region"
    wr.s3.to_parquet(SALES, mode="overwrite", **where)
    found = [rows(count)]
    wr.s3.to_parquet(SALES.assign(extra=1).tail(1), mode="append", schema_evolution=True, **where)
    found += [rows(count), rows("SELECT count(extra) FROM sales")]
    wr.s3.to_parquet(SALES.assign(extra=1).head(1), mode="overwrite_partitions", **where)
    found += [rows(count), len(wr.s3.read_parquet_table(database=DATABASE, table="sales", validate_schema=False))]
    partitions = wr.catalog.get_parquet_partitions(database=DATABASE, table="sales")
    return [*found, sorted(partitions.values())]


@part
def text_datasets() -> Any:
    wr.s3.to_csv(SALES, f"{BUCKET}/sales_csv/", dataset=True, database=DATABASE, table="sales_csv", index=False)
    wr.s3.to_json(
        SALES,
        f"{BUCKET}/sales_json/",
        dataset=True,
        database=DATABASE,
        table="sales_json",
        orient="records",
        index=False,
        lines=True,
    )
    wr.s3.to_orc(SALES, f"{BUCKET}/sales_orc/", dataset=True, database=DATABASE, table="sales_orc")
    return [rows(f"SELECT * FROM sales_{kind} ORDER BY id") for kind in ("csv", "json", "orc")]


@part
def iceberg() -> Any:
    where: dict[str, Any] = {**HOW, "table": "ice", "temp_path": f"{BUCKET}/temp/", "keep_files": False}
    where["partition_cols"] = ["region"]
    wr.athena.to_iceberg(SALES, table_location=f"{BUCKET}/ice/", **where)
    found = [rows("SELECT id, region, amount FROM ice ORDER BY id")]
    changed = SALES.assign(amount=9.0, id=[3, 4, 5])
    wr.athena.to_iceberg(changed, merge_cols=["id"], **where)
    found.append(rows("SELECT id, amount FROM ice ORDER BY id"))
    wr.athena.to_iceberg(SALES.head(1).assign(note="new"), mode="overwrite_partitions", schema_evolution=True, **where)
    found.append(rows("SELECT id, region FROM ice ORDER BY id"))
    del where["partition_cols"]
    wr.athena.delete_from_iceberg_table(pd.DataFrame({"id": [1]}), merge_cols=["id"], **where)
    found.append(rows("SELECT count(*), count(note) FROM ice"))
    wr.athena.to_iceberg(SALES, mode="overwrite", **where)
    return [*found, rows("SELECT count(*) FROM ice")]


@part
def catalog() -> Any:
    columns = {"id": "bigint", "name": "string"}
    wr.catalog.create_parquet_table(
        database=DATABASE,
        table="made",
        path=f"{BUCKET}/made/",
        columns_types=columns,
        partitions_types={"day": "date"},
        description="by hand",
        columns_comments={"id": "the key"},
    )
    wr.catalog.add_parquet_partitions(DATABASE, "made", {f"{BUCKET}/made/day=2025-10-04/": ["2025-10-04"]})
    found = [
        wr.catalog.get_table_types(DATABASE, "made"),
        wr.catalog.get_table_description(DATABASE, "made"),
        wr.catalog.get_columns_comments(DATABASE, "made")["id"],
        list(wr.catalog.get_partitions(DATABASE, "made").values()),
        [table["Name"] for table in wr.catalog.search_tables(text="made")],
        wr.catalog.does_table_exist(DATABASE, "made"),
        DATABASE in wr.catalog.databases()["Database"].tolist(),
        wr.athena.describe_table(table="made", **HOW)["Column Name"].tolist(),
        wr.athena.show_create_table(table="made", **HOW).split("(")[0],
    ]
    wr.catalog.delete_table_if_exists(DATABASE, "made")
    return [*found, wr.catalog.does_table_exist(DATABASE, "made")]


@part
def statements() -> Any:
    made = wr.athena.create_ctas_table(
        "SELECT order_id, amount FROM orders",
        ctas_table="kept",
        s3_output=f"{BUCKET}/kept/",
        storage_format="parquet",
        wait=True,
        **HOW,
    )
    wr.athena.create_prepared_statement("SELECT order_id FROM orders WHERE order_id = ?", "one_order", WORKGROUP)
    listed = [each["StatementName"] for each in wr.athena.list_prepared_statements(WORKGROUP)]
    prepared = read('EXECUTE "one_order" USING 2', ctas_approach=False).values.tolist()
    wr.athena.delete_prepared_statement("one_order", WORKGROUP)
    query = wr.athena.start_query_execution("SELECT 1", **HOW)
    state = wr.athena.wait_query(query)["Status"]["State"]
    return [made["ctas_table"], rows("SELECT count(*) FROM kept"), listed, prepared, state]


answer(WANTED)
