"""The command line as a person meets it: help, mistakes, exit codes. Each runs the real program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import lakectl

from lakectl.cli.group import COMMANDS, SECTIONS

HEAVY = {
    "boto3",
    "botocore",
    "pydantic",
    "yaml",
    "rich",
    "pyspark",
    "duckdb",
    "moto",
    "pyarrow",
    "flask",
    "jinja2",
    "sqlglot",
}
IMPORTED = """
import sys
from lakectl.cli.main import run
try:
    run(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("|".join(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_help_lists_every_command_in_tutorial_order_grouped() -> None:
    text = lakectl("--help").stdout
    places = [text.index(f"\n  {name} ") for commands in SECTIONS.values() for name in commands]
    assert places == sorted(places)
    assert all(f"{section}:" in text for section in SECTIONS)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED, *arguments], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split("|"))
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_says_what_the_list_says(name: str) -> None:
    text = lakectl(name, "--help").stdout
    assert COMMANDS[name][1] in " ".join(text.split())
    if name != "local":
        assert f"lakectl {name}" in text.split("Example", 1)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("lnad",), 64, "no such command 'lnad'; did you mean 'land'?"),
        (("land",), 64, "Missing argument 'FILES...'"),
        (("up", "--target", "moon"), 64, "'moon' is not one of 'local', 'aws'"),
        (("up", "--name", "Not OK"), 64, "--name: name: 'Not OK' is not allowed"),
        (("up", "-c", "none.yaml"), 64, "no config file at none.yaml"),
        (("up", "--profile", "x"), 64, "--profile has no meaning on the local target"),
        (("land", "nowhere/orders.csv"), 64, "no file at nowhere/orders.csv"),
        (("land", "x.csv", "--ingest-date", "4.10.2025"), 64, "--ingest-date '4.10.2025' is not a date YYYY-MM-DD"),
        (("land", "x.csv", "--batch", "one"), 64, "--batch 'one' is neither auto nor a number of at most four digits"),
        (("runs", "ordres"), 64, "no source is called 'ordres'; known: customers, products, orders"),
        (("status", "--target", "aws", "--profile", "nobody"), 77, "profile (nobody) could not be found"),
        (
            ("status", "--target", "aws", "--endpoint-url", "http://127.0.0.1:9"),
            1,
            "can't reach AWS",
        ),
    ],
)
def test_a_mistake_is_one_line_a_hint_and_an_exit_code(
    arguments: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"} if "--endpoint-url" in arguments else {}
    done = lakectl(*arguments, cwd=tmp_path, HOME=str(tmp_path), AWS_MAX_ATTEMPTS="1", **keys)
    assert done.returncode == code, done.stderr
    error, *hints = done.stderr.strip().splitlines()
    assert error.startswith("error: ")
    assert says in error
    assert all(hint.startswith("  try: ") for hint in hints)
    assert "Traceback" not in done.stderr


def test_no_credentials_is_said_with_what_to_do(tmp_path: Path) -> None:
    done = lakectl("status", "--target", "aws", HOME=str(tmp_path), AWS_EC2_METADATA_DISABLED="true")
    assert done.returncode == 77
    assert "no usable AWS credentials" in done.stderr
    assert "aws configure" in done.stderr


def test_output_cut_off_by_head_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "lakectl", "--help"], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


def test_down_without_a_yes_deletes_nothing(tmp_path: Path) -> None:
    up = lakectl("create-table", "--name", "asked", cwd=tmp_path)
    assert up.returncode == 0, up.stderr
    done = subprocess.run(
        [sys.executable, "-m", "lakectl", "down", "--name", "asked"],
        input="no\n", capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 64
    assert "nothing was deleted" in done.stderr
    assert "Nothing to change" in lakectl("create-table", "--name", "asked", cwd=tmp_path).stdout
    assert "0 left." in lakectl("down", "--name", "asked", "--yes", cwd=tmp_path).stdout
