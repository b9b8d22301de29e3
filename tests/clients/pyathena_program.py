"""What somebody does with PyAthena, part by part: run by the Python of `.venv-pyathena`, which has no lakectl.

    python pyathena_program.py WORKGROUP DATABASE PART...

Prints one JSON object: part -> what it gave. The table ``orders`` has two rows of (order_id int, amount double):
(1, 1.5) and (2, 2.5).
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import time
from typing import Any

import pyathena
from client_parts import answer, part
from pyathena import aio_connect, connect

WORKGROUP, DATABASE, *WANTED = sys.argv[1:]
HOW: dict[str, Any] = {"work_group": WORKGROUP, "schema_name": DATABASE, "poll_interval": 0.05}
TYPED = (
    "SELECT order_id, amount, DATE '2025-10-04' AS day, DECIMAL '1.50' AS dec, ARRAY[1, 2] AS arr, '' AS empty,"
    " CAST(NULL AS varchar) AS missing, true AS yes FROM orders ORDER BY order_id"
)
MANY = "SELECT x FROM UNNEST(sequence(1, 2500)) AS t (x)"
ENDLESS = "SELECT count(*) FROM " + ", ".join(f"UNNEST(sequence(1, 9999)) AS t{n} (x{n})" for n in range(4))


def rows(sql: str, *given: Any, **options: Any) -> Any:
    with connect(**HOW).cursor() as cursor:
        return cursor.execute(sql, *given, **options).fetchall()


def alchemy() -> Any:
    from sqlalchemy import create_engine

    region = os.environ["AWS_DEFAULT_REGION"]
    place = f"athena.{region}.amazonaws.com:443/{DATABASE}"  # never asked: AWS_ENDPOINT_URL is
    return create_engine(f"awsathena+rest://@{place}?work_group={WORKGROUP}&poll_interval=0.05")


@part
def cursor() -> Any:
    with connect(**HOW).cursor() as opened:
        opened.execute(TYPED)
        return [[column[:2] for column in opened.description], opened.fetchall()]


@part
def pages() -> Any:
    return len(rows(MANY))


@part
def parameters() -> Any:
    by_name = rows("SELECT order_id FROM orders WHERE amount > %(least)d", {"least": 2})
    return [by_name, rows("SELECT order_id FROM orders WHERE amount > ?", ["2"], paramstyle="qmark")]


@part
def dictionaries() -> Any:
    from pyathena.cursor import DictCursor

    with connect(cursor_class=DictCursor, **HOW).cursor() as opened:
        return opened.execute("SELECT order_id, amount FROM orders ORDER BY 1").fetchall()


@part
def utility() -> Any:
    described = [line.split()[:2] for (line,) in rows("DESCRIBE orders")]  # two lines stand above the columns
    return [rows("SHOW TABLES"), described[2:4], bool(rows("EXPLAIN SELECT * FROM orders"))]


@part
def writing() -> Any:
    with connect(**HOW).cursor() as opened:
        one = opened.execute("INSERT INTO orders VALUES (3, 3.5)").rowcount
        opened.executemany("INSERT INTO orders VALUES (%(id)d, 1.0)", [{"id": 4}, {"id": 5}])
        gone = opened.execute("DELETE FROM orders WHERE order_id > 2").rowcount
    return [one, gone, rows("SELECT count(*) FROM orders")]


@part
def errors() -> Any:
    try:
        rows("SELECT nope FROM orders")
    except pyathena.error.OperationalError as error:
        return str(error)
    return None


@part
def threads() -> Any:
    from pyathena.async_cursor import AsyncCursor

    with connect(cursor_class=AsyncCursor, **HOW).cursor(max_workers=2) as opened:
        _, first = opened.execute("SELECT max(order_id) FROM orders")
        _, second = opened.execute("SELECT min(order_id) FROM orders")
        query_id, endless = opened.execute(ENDLESS)
        time.sleep(0.5)
        opened.cancel(query_id).result()
        return [first.result().fetchall(), second.result().fetchall(), endless.result().state]


@part
def asynchronous() -> Any:
    async def go() -> Any:
        async with await aio_connect(**HOW) as connection, connection.cursor() as opened:
            await opened.execute("SELECT order_id FROM orders ORDER BY 1")
            return await opened.fetchall()

    return asyncio.run(go())


@part
def pandas() -> Any:
    from pyathena.pandas.cursor import PandasCursor

    with connect(cursor_class=PandasCursor, **HOW).cursor() as opened:
        frame = opened.execute(TYPED).as_pandas()
        chunks = [len(each) for each in opened.execute(MANY, chunksize=1000).as_pandas()]
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    missing = {name: int(count) for name, count in frame.isna().sum().items() if count}
    return [[kinds["order_id"], kinds["amount"], kinds["day"][:10]], frame["amount"].tolist(), missing, chunks]


@part
def arrow() -> Any:
    from pyarrow import fs
    from pyathena.arrow.cursor import ArrowCursor

    # Arrow's own client of S3 reads no AWS_ENDPOINT_URL, and PyAthena gives it none.
    fs.S3FileSystem = functools.partial(fs.S3FileSystem, endpoint_override=os.environ["AWS_ENDPOINT_URL"])
    with connect(cursor_class=ArrowCursor, **HOW).cursor() as opened:
        table = opened.execute(TYPED).as_arrow()
        return [[str(kind) for kind in table.schema.types[:4]], table.column("amount").to_pylist(), table.num_rows]


@part
def polars() -> Any:
    from pyathena.polars.cursor import PolarsCursor

    with connect(cursor_class=PolarsCursor, **HOW).cursor() as opened:
        frame = opened.execute(TYPED).as_polars()
        return [[str(kind) for kind in frame.dtypes[:3]], frame["amount"].to_list()]


@part
def sqlalchemy() -> Any:
    from sqlalchemy import MetaData, Table, func, inspect, select

    engine = alchemy()
    seen = inspect(engine)
    orders = Table("orders", MetaData(), autoload_with=engine)
    asked = select(orders.c.order_id, func.sum(orders.c.amount)).group_by(orders.c.order_id).order_by(orders.c.order_id)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(asked)]
    columns = [[each["name"], str(each["type"])] for each in seen.get_columns("orders")]
    return [DATABASE in seen.get_schema_names(), seen.get_table_names(), columns, seen.has_table("orders"), found]


@part
def missing_table() -> Any:
    from sqlalchemy import MetaData, Table, exc, inspect

    engine = alchemy()
    try:
        Table("nope", MetaData(), autoload_with=engine)
    except exc.NoSuchTableError as error:
        return [inspect(engine).has_table("nope"), str(error)]
    return None


@part
def unloaded() -> Any:
    """Results by way of UNLOAD: Parquet files, with the types that they had."""
    from pyathena.pandas.cursor import PandasCursor

    staging = f"s3://{WORKGROUP}/unloaded/"
    with connect(cursor_class=PandasCursor, s3_staging_dir=staging, **HOW).cursor(unload=True) as opened:
        frame = opened.execute("SELECT order_id, ARRAY[order_id] AS arr FROM orders ORDER BY 1").as_pandas()
    return [frame["order_id"].tolist(), [each.tolist() for each in frame["arr"]]]


@part
def alchemy_writes() -> Any:
    """CREATE TABLE and DROP TABLE of SQLAlchemy, and pandas.to_sql."""
    import pandas as pd
    from sqlalchemy import Column, MetaData, Table, inspect, select, types

    engine = alchemy()
    options = {"awsathena_location": f"s3://{WORKGROUP}/made/", "awsathena_tblproperties": {"table_type": "ICEBERG"}}
    made = Table("made", MetaData(), Column("id", types.Integer), Column("name", types.String), **options)
    made.create(engine)
    pd.DataFrame({"id": [1, 2], "name": ["a", "é"]}).to_sql("made", engine, index=False, if_exists="append")
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(select(made.c.id, made.c.name).order_by(made.c.id))]
    made.drop(engine)
    return [found, inspect(engine).has_table("made")]


answer(WANTED)
