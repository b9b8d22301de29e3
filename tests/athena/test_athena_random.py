"""Random queries give what SQLite gives."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

import duckdb
import pytest
from random_queries import Maker
from semantics import executed

from lakectl.local.athena.errors import QueryError, RequestError
from lakectl.local.athena.session import Session

MOST_REFUSED = 0.02  # of the queries


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return Session(tmp_path_factory.mktemp("spill"))


@pytest.mark.parametrize("seeds", [range(200), pytest.param(range(200, 10_200), marks=pytest.mark.long)], ids=str)
def test_a_random_query_gives_what_sqlite_gives(session: Session, seeds: range) -> None:
    refused: Counter[str] = Counter()
    wrong = []
    for seed in seeds:
        sql = Maker(seed).query()
        try:
            found = _counted(zip(*(column.to_pylist() for column in executed(session, sql)[1].columns), strict=True))
        except (QueryError, RequestError) as error:
            refused[str(error)] += 1
            continue
        except duckdb.Error as error:
            wrong.append(f"seed {seed}: {sql}\n  failed {error}")
            continue
        wanted = _counted(_sqlite(sql))
        if found != wanted:
            wrong.append(f"seed {seed}: {sql}\n  wanted {_shown(wanted - found)}\n  found  {_shown(found - wanted)}")
    assert not wrong, f"{len(wrong)} of {len(seeds)} are wrong\n" + "\n".join(wrong[:10])
    assert refused.total() <= MOST_REFUSED * len(seeds), refused.most_common(10)


def _counted(rows: Any) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in rows)


def _shown(rows: Counter[tuple[Any, ...]]) -> str:
    return str(sorted(rows.elements(), key=repr))[:300]


def _sqlite(sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("PRAGMA case_sensitive_like = ON")
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
