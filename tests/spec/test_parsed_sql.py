"""What is kept of parsed SQL: used again, thrown away when it may be wrong, and never in the way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakectl.spec import expressions, parsed_sql

COLUMNS = {"qty": "int", "price": "double"}
SQL = "CAST(qty AS DOUBLE) * price"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _forget()
    yield tmp_path / "lakectl/sql.json"
    _forget()


def _forget() -> None:
    """As a new process begins."""
    parsed_sql._entries.cache_clear()


def _end() -> None:
    """As a process ends."""
    parsed_sql.write()
    _forget()


def test_what_was_compiled_is_the_same_when_it_is_read_again(file: Path) -> None:
    first = expressions.compile_sql(SQL, COLUMNS, "double")
    _end()
    assert file.stat().st_mode & 0o077 == 0
    assert expressions.compile_sql(SQL, COLUMNS, "double") == first


@pytest.mark.usefixtures("file")
def test_a_command_with_known_sql_does_not_import_the_parser() -> None:
    program = (
        "import sys; from lakectl.spec.expressions import compile_sql;"
        f"compile_sql({SQL!r}, {COLUMNS!r}, 'double'); print('sqlglot' in sys.modules)"
    )

    def ran() -> str:
        return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert ran() == "True\n"
    assert ran() == "False\n"


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"makers": ["other"], "entries": {}}', b"\xff\xfe"])
def test_a_file_that_is_damaged_or_of_another_version_is_written_again(file: Path, broken: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(broken)
    assert expressions.compile_sql(SQL, COLUMNS, "double").columns == ("qty", "price")
    _end()
    assert len(json.loads(file.read_bytes())["entries"]) == 1


@pytest.mark.usefixtures("file")
def test_other_columns_are_another_expression() -> None:
    expressions.compile_sql("qty + 1", {"qty": "int"}, "bigint")
    with pytest.raises(expressions.UnknownColumn):
        expressions.compile_sql("qty + 1", {"amount": "int"}, "bigint")
    with pytest.raises(expressions.Refused):
        expressions.compile_sql("qty + 1", {"qty": "string"}, "bigint")


def test_refused_sql_is_not_kept(file: Path) -> None:
    for _ in range(2):
        with pytest.raises(expressions.Refused):
            expressions.compile_sql("qty +", COLUMNS, "int")
    _end()
    assert json.loads(file.read_bytes())["entries"] == {}


def test_a_folder_that_can_not_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    _forget()
    assert expressions.compile_sql(SQL, COLUMNS, "double").columns == ("qty", "price")
    _end()


def test_the_file_does_not_grow_for_ever(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsed_sql, "MOST", 3)
    for number in range(10):
        expressions.compile_sql(f"qty + {number}", COLUMNS, "bigint")
    _end()
    assert len(json.loads(file.read_bytes())["entries"]) <= 3
