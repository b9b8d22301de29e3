"""How ``lakectl query`` prints: a table that fits the terminal, and one line a row into a pipe."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from lakes import open_test_lake

from lakectl import tables
from lakectl.local.control import Endpoint

RUN_ID = "jr_" + "0123456789abcdef" * 4
SNAPSHOT_ID = "8270531466720182345"
TEXT = "a text of more than eighty characters, with words that tell nothing that anybody would miss"
ROW = f"SELECT '{SNAPSHOT_ID}' AS snapshot_id, '{TEXT}' AS note, 'short' AS word, NULL AS missing, '' AS empty"


def widths(lines: list[str]) -> set[int]:
    return {tables.cells(line) for line in lines}


def test_the_widest_columns_are_shortened_and_the_others_stay_whole() -> None:
    """Item 34: identifiers whole, widest columns shortened, everything in the width of the terminal."""
    lines = tables.fitted(("snapshot_id", "note", "word"), [(SNAPSHOT_ID, TEXT, "short")], (), 60)
    assert max(widths(lines)) <= 60
    assert lines[0].split() == ["snapshot_id", "note", "word"]
    assert lines[2].startswith(SNAPSHOT_ID)
    assert "…" in lines[2]
    assert lines[2].endswith("  short")


@pytest.mark.parametrize("width", range(10, 140, 7))
def test_ids_and_numbers_are_never_split(width: int) -> None:
    """Item 34: run and snapshot ids are whole and on one line, whatever the width."""
    row = (RUN_ID, SNAPSHOT_ID, "-1234.50", "2026-11-30 10:00:00.000 UTC", TEXT)
    lines = tables.fitted(("run_id", "snapshot_id", "sum", "committed_at", "note"), [row, row], (), width)
    for value in row[:4]:
        assert sum(value in line for line in lines) == 2


def test_a_row_that_does_not_fit_is_shown_with_one_line_a_column() -> None:
    """Item 34: with fewer than six characters a column, the rows are shown vertically."""
    names = tuple(f"col_{number:02d}" for number in range(12))
    assert len(tables.fitted(names[:10], [(TEXT,) * 10], (), 80)) == 3
    lines = tables.fitted(names, [(TEXT,) * 12, ("",) * 12], (), 80)
    assert lines[0].startswith("─ row 1 ")
    assert lines[1:3] == ["col_00", f"  {TEXT}"]
    assert lines[25].startswith("─ row 2 ")
    assert lines[26] == "col_00"


def test_long_names_are_whole() -> None:
    """Item 34: a column's name is an identifier too."""
    name = "a_column_with_a_name_of_forty_characters"
    assert tables.fitted((name, "b"), [("1", TEXT)], (), 60)[0].startswith(name)
    assert tables.fitted((name, name + "2"), [("1", TEXT)], (), 60)[0].startswith("─ row 1")


def test_the_end_of_a_path_is_kept() -> None:
    """Item 34: what differs in ARNs and S3 paths is their end."""
    arn = "arn:aws:glue:eu-west-1:123456789012:table/retail_silver/orders_silver"
    assert tables.fitted(("state", "arn"), [("in place", arn)], (), 40)[-1].endswith(
        "…retail_silver/orders_silver"[-20:]
    )


def test_characters_that_take_two_columns() -> None:
    """Item 34: the width is that of the terminal's columns, not of characters."""
    lines = tables.fitted(("a", "b"), [("日本語" * 20, "x"), ("é" * 50, "y")], (), 40)
    assert max(widths(lines)) <= 40
    assert [line[-1] for line in lines[2:]] == ["x", "y"]


def test_values_stay_on_their_line() -> None:
    """Item 34: control characters, a terminal's commands among them, are shown escaped."""
    assert tables.shown("a\nb\tc\x1b[2J") == r"a\nb\tc\x1b[2J"
    assert (tables.shown(None, tables.NULL), tables.shown("", tables.NULL)) == ("NULL", "")
    assert tables.shown("NULL", tables.NULL) == "'NULL'"


def test_tsv_can_be_read_back() -> None:
    r"""Item 34: one line a row; NULL is \N, and a text that is the two characters \N is \\N."""
    row = ["a\tb\nc\rd\\e", None, "", "\\N", "NULL"]
    line = tables.tsv(row)
    assert line == "a\\tb\\nc\\rd\\\\e\t\\N\t\t\\\\N\tNULL"
    back = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    read = [
        None if field == r"\N" else re.sub(r"\\(.)", lambda found: back[found[1]], field) for field in line.split("\t")
    ]
    assert read == row


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "lakectl", "query", *arguments, "-c", str(folder / "lake.yaml")]


def on_terminal(folder: Path, *arguments: str, width: int = 80, pager: str = "cat") -> list[str]:
    """What the program prints on a terminal of that width, line by line, without colours and the spinner."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    program = subprocess.Popen(
        command(folder, *arguments),
        stdin=inner,
        stdout=inner,
        stderr=inner,
        cwd=folder,
        env=environ | {"TERM": "xterm", "PAGER": pager},
    )
    os.close(inner)
    said = b""
    try:
        while data := os.read(outer, 65536):
            said += data
    except OSError:  # Linux: the other side is closed
        pass
    finally:
        os.close(outer)
    assert program.wait(60) == 0, said.decode()
    shown = said.decode().replace("\r\n", "\n").rpartition("\x1b[1A\x1b[2K")[2]  # what follows the spinner
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).splitlines()


def test_a_terminal_of_80_columns(folder: Path) -> None:
    """Item 34: SELECT * in 80 columns printed columns that were two characters wide."""
    lines = on_terminal(folder, ROW)
    assert max(widths(lines)) <= 80
    assert lines[0].split() == ["snapshot_id", "note", "word", "missing", "empty"]
    assert lines[2].split()[0] == SNAPSHOT_ID
    assert lines[2].split()[-2:] == ["short", "NULL"]
    assert lines[3].startswith("1 row, ")
    many = ", ".join(f"'{TEXT}' AS column_{number}" for number in range(12))
    lines = on_terminal(folder, f"SELECT '{RUN_ID}' AS job_run_id, {many}")
    assert lines[0].startswith("─ row 1 ")
    assert lines[1] == f"job_run_id  {RUN_ID}"
    assert lines[2:4] == ["column_0", f"  {TEXT}"]


def test_a_terminal_shows_the_first_hundred_rows_and_says_how_many_there_are(folder: Path) -> None:
    """Item 34: the number of further rows, and how to see them."""
    sql = "SELECT x FROM UNNEST(sequence(1, 1234)) AS t (x)"
    lines = on_terminal(folder, sql)
    assert lines[101].strip() == "100"
    assert lines[102] == "… 1,134 more rows. See them with --all, or write them to a file: > rows.tsv"
    assert lines[103].startswith("1,234 rows, ")
    assert len(on_terminal(folder, sql, "--all")) == 1234 + 3


def test_an_answer_longer_than_the_terminal_is_read_in_the_pager(folder: Path) -> None:
    """The pager gets the rows; what was counted is said after it."""
    sql = "SELECT x FROM UNNEST(sequence(1, 50)) AS t (x)"
    shown = on_terminal(folder, sql, pager="tail -n 2 | sed s/^/page:/")
    assert [line.replace(" ", "") for line in shown[:2]] == ["page:49", "page:50"]
    assert shown[2].startswith("50 rows, ")
    assert "page:" not in "".join(on_terminal(folder, "SELECT 1 AS x", pager="sed s/^/page:/"))


def test_a_pipe_gets_one_line_a_row_and_nothing_else(folder: Path) -> None:
    """Item 34: piped, 8,772 rows took 70,000 lines."""
    sql = (
        f"SELECT x, '{TEXT}' AS note, 'a' || chr(10) || 'b' AS lines, NULL AS missing, '' AS empty "
        "FROM UNNEST(sequence(1, 300)) AS t (x)"
    )
    done = subprocess.run(command(folder, sql), capture_output=True, text=True, cwd=folder, check=True)
    lines = done.stdout.split("\n")
    assert lines[0] == "x\tnote\tlines\tmissing\tempty"
    assert sorted(lines[1:-1]) == sorted(f"{number}\t{TEXT}\ta\\nb\t\\N\t" for number in range(1, 301))
    assert lines[-1] == ""
    assert done.stderr.startswith("300 rows, ")


def test_json_stays(folder: Path) -> None:
    """Item 34: programs get the same document as before, NULL as null."""
    done = subprocess.run(command(folder, ROW, "--json"), capture_output=True, text=True, cwd=folder, check=True)
    assert json.loads(done.stdout)["rows"] == [[SNAPSHOT_ID, TEXT, "short", None, ""]]
    assert done.stderr == ""


def test_a_described_table_is_a_table(endpoint: Endpoint, folder: Path) -> None:
    """Athena names three columns for it and gives one text with tabs: on a terminal that was an internal error."""
    glue = open_test_lake(endpoint).client("glue")
    glue.create_database(DatabaseInput={"Name": "described"})
    columns = [{"Name": "id", "Type": "bigint", "Comment": "its key"}, {"Name": "note", "Type": "string"}]
    storage = {"Columns": columns, "Location": "s3://nowhere/at/all"}
    glue.create_table(DatabaseName="described", TableInput={"Name": "things", "StorageDescriptor": storage})
    try:
        lines = on_terminal(folder, "DESCRIBE described.things")
        assert [line.split() for line in lines[:4] if "─" not in line] == [
            ["col_name", "data_type", "comment"],
            ["id", "bigint", "its", "key"],
            ["note", "string"],
        ]
    finally:
        glue.delete_table(DatabaseName="described", Name="things")
        glue.delete_database(Name="described")
