"""``lakectl sql``, typed into a terminal and fed from a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakes import open_test_lake
from terminal import Terminal

from lakectl.local.control import Endpoint

ENDLESS = "SELECT count(*) FROM " + ", ".join(f"UNNEST(sequence(1, 9999)) AS t{n} (x{n})" for n in range(4))
CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "lakectl", "sql", "-c", str(folder / "lake.yaml"), *arguments]


@contextmanager
def shell(folder: Path, **environ: str) -> Iterator[Terminal]:
    terminal = Terminal(command(folder), folder, **environ)
    try:
        terminal.wait_for("for help.")
        terminal.wait_for(">")
        yield terminal
    finally:
        terminal.kill()


def piped(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *arguments), input=text, capture_output=True, text=True, cwd=folder, check=False, timeout=120
    )


def test_statements_are_typed_completed_cancelled_and_kept(endpoint: Endpoint, folder: Path) -> None:
    glue = open_test_lake(endpoint).client("glue")
    glue.create_database(DatabaseInput={"Name": "typed_into"})
    storage = {"Columns": [{"Name": "a_long_name", "Type": "bigint"}], "Location": "s3://nowhere/at/all"}
    glue.create_table(DatabaseName="typed_into", TableInput={"Name": "some_table", "StorageDescriptor": storage})
    try:
        with shell(folder) as typed:
            typed.type("SELECT 1 AS one,\r")
            typed.wait_for("->")
            typed.type("2 AS two; SELECT 3 AS three;\r")
            assert "one  two\n───  ───\n  1    2\n" in typed.wait_for("1 row, ")
            assert "three\n─────\n    3\n" in typed.wait_for("1 row, ")

            typed.type("SELECT nope;\r")
            typed.wait_for("error: COLUMN_NOT_FOUND: line 1:8: ")
            typed.type(f"{ENDLESS};\r")
            typed.wait_for("Ctrl-C cancels it")
            time.sleep(0.5)
            typed.type(CTRL_C)
            query_id = typed.wait_for(" is cancelled").split()[-3]
            athena = open_test_lake(endpoint).client("athena")
            status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
            assert status["State"] == "CANCELLED"

            typed.type("\\c typed_into\r")
            typed.wait_for("lakectl:typed_into>")
            typed.type("\\d some\t")
            typed.wait_for("_table")
            typed.type("\r")
            assert "a_long_name  bigint" in typed.wait_for("bigint")
            typed.type("nonsense")
            typed.type(CTRL_C)
            typed.wait_for("lakectl:typed_into>")
            typed.type("\\x\r")
            typed.wait_for("error: the shell has no command \\x")
            typed.wait_for("lakectl:typed_into>")  # what is typed before may get lost
            typed.type(CTRL_D)
            assert typed.end() == 0
        history = Path(os.environ["XDG_STATE_HOME"]) / "lakectl" / "sql_history"
        assert "+SELECT 1 AS one,\n+2 AS two; SELECT 3 AS three;\n" in history.read_text()
        assert history.stat().st_mode & 0o077 == 0
        with shell(folder) as again:
            again.type(f"{UP}{UP}{CTRL_C}")
            again.wait_for("\\d some_table")  # the one before the last
            again.type("quit\r")
            assert again.end() == 0
    finally:
        glue.delete_table(DatabaseName="typed_into", Name="some_table")
        glue.delete_database(Name="typed_into")


def test_a_dumb_terminal_gets_plain_lines(folder: Path) -> None:
    with shell(folder, TERM="dumb") as typed:
        typed.type("SELECT 1 AS one,\n")
        typed.wait_for("-> ")
        typed.type("2 AS two;\n")
        assert "one  two\n───  ───\n  1    2\n" in typed.wait_for("1 row, ")
        typed.wait_for("> ")
        typed.type("SELECT '")
        typed.type(CTRL_C)
        typed.wait_for("^C")
        typed.wait_for("> ")
        typed.type("SELECT 3 AS three;\n")
        typed.wait_for("three\n")
        typed.type(CTRL_D)
        assert typed.end() == 0
        assert "\x1b" not in typed.said


def test_a_pipe_runs_one_statement_after_the_other(folder: Path) -> None:
    text = "SELECT 1 AS a; -- one; two\nSELECT ';' AS b,\n  NULL AS c;\n\\?\nSELECT 2 AS d"
    done = piped(folder, text)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:4] == ["a", "1", "b\tc", ";\t\\N"]
    assert lines[-2:] == ["d", "2"]
    assert [line.partition(", ")[0] for line in done.stderr.splitlines()] == ["1 row"] * 3
    as_json = piped(folder, text, "--json")
    assert [len(each) for each in json.loads(as_json.stdout)] == [8, 8, 6, 8]
    assert piped(folder, "", "--json").stdout == "[]\n"


def test_the_first_statement_of_a_pipe_that_fails_ends_it(folder: Path) -> None:
    done = piped(folder, "SELECT 1 AS a; SELECT nope; SELECT 3 AS c;", "--csv")
    assert (done.returncode, done.stdout) == (1, "a\n1\n")
    assert "COLUMN_NOT_FOUND" in done.stderr
    done = piped(folder, "SELECT 1 AS a; SELECT nope;", "--json")
    assert (done.returncode, len(json.loads(done.stdout))) == (1, 1)
    assert json.loads(done.stderr)["exit_code"] == 1


def test_what_is_no_text_is_refused(folder: Path) -> None:
    done = subprocess.run(command(folder), input=b"SELECT '\xff';", capture_output=True, cwd=folder, check=False)
    assert done.returncode == 64
    assert b"standard input is no UTF-8" in done.stderr
