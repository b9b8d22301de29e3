"""Every case of the table of meanings is right; nothing is answered wrongly, and no library's words reach a user."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from semantics import Case, answer, cases

from lakectl.local.athena.functions import ALL_NAMES, TABLE, load
from lakectl.local.athena.session import Session

load()
CASES = list(cases())
MOST_REFUSED = 116
LIBRARIES = re.compile(
    r"(?i)duckdb|sqlglot|binder|catalog error|parser error|conversion error|python|INTERNAL_ERROR|INT8"
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return Session(tmp_path_factory.mktemp("spill"))


@pytest.mark.parametrize("family", sorted({case.family for case in CASES}))
def test_a_meaning_is_trinos(session: Session, family: str) -> None:
    wrong = []
    for case in CASES:
        if case.family == family:
            found = answer(session, case.sql)
            if not _right(case, found):
                wrong.append(f"{family}.txt:{case.line}: {case.sql}\n    wanted {case.wanted}\n    found  {found}")
    assert not wrong, "\n".join(wrong)


def _right(case: Case, found: str) -> bool:
    if not case.is_error:
        return found == case.wanted
    failed = " | " not in found and found != "(empty)" and not LIBRARIES.search(found)
    return failed and (case.wanted == "error" or case.wanted in found)


def test_there_are_enough_cases_and_the_share_of_refused_ones_only_falls() -> None:
    """Lower the number with each case that is answered instead of refused."""
    assert len(CASES) >= 1500
    assert sum(case.is_refused for case in CASES) <= MOST_REFUSED


def test_every_function_of_the_table_has_a_case() -> None:
    written = " ".join(case.sql for case in CASES).lower()
    missing = [name for name in TABLE if not re.search(rf"\b{name}\b", written)]
    assert missing == []


def test_every_function_of_the_table_is_one_of_trinos() -> None:
    assert sorted(set(TABLE) - ALL_NAMES) == []


@pytest.mark.parametrize(
    "name", sorted(name for name in ALL_NAMES if name.startswith(("st_", "bing_", "learn_", "spooky_")))
)
def test_a_function_that_trino_has_and_the_table_not_is_refused_by_name(session: Session, name: str) -> None:
    found = answer(session, f"SELECT {name}(1)")
    expected = f"NOT_SUPPORTED: line 1:8: function {name} is not supported by the local Athena; it works on AWS"
    assert found == expected


def test_the_table_names_its_sources() -> None:
    rows = [row for rows in TABLE.values() for row in rows]
    assert all(row.page.startswith("https://trino.io/docs/current/functions/") for row in rows)
    assert {path.stem for path in Path(__file__).parent.joinpath("cases").glob("*.txt")} == {
        case.family for case in CASES
    }
