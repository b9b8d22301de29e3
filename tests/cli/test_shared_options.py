"""Options of every command, errors as programs and terminals see them, help, completion, the configuration in use."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import lakectl

from lakectl.cli.main import cli
from lakectl.errors import UsageError
from lakectl.local.control import Endpoint

SHELL = {
    "AWS_PROFILE": "nobody",
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_CONFIG_FILE": "/dev/null/none",
    "AWS_DEFAULTS_MODE": "bogus",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "bogus",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "NO_PROXY": "",
}


def on_a_terminal(*arguments: str, cwd: Path, columns: int, **environ: str) -> str:
    """All that a terminal of so many columns gets."""
    read, write = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": "24"}
    process = subprocess.Popen(
        [sys.executable, "-m", "lakectl", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=write,
        cwd=cwd,
        env={**os.environ, **size, "TERM": "xterm", **environ},
    )
    os.close(write)
    told = b""
    try:
        while part := os.read(read, 4096):
            told += part
    except OSError:  # Linux: nobody writes any more
        pass
    process.wait()
    os.close(read)
    return told.decode()


@pytest.mark.parametrize("arguments", [("--json", "land", "no.csv"), ("land", "no.csv", "--json")])
def test_json_before_the_command_or_after_it_and_errors_as_json(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "no.csv").touch()
    done = lakectl(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (64, "")
    error = json.loads(done.stderr)
    assert error["exit_code"] == 64
    assert "no source is called 'no'" in error["error"]
    assert error["hint"].startswith("name it: lakectl land")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("stauts",), "no such command 'stauts'; did you mean 'status'?"),
        (("local", "stauts"), "no such command 'stauts'; did you mean 'status'?"),
        (("land", "--jsno", "x.csv"), "no such option '--jsno'; did you mean '--json'?"),
        (("help", "local", "satrt"), "no such command 'satrt'; did you mean 'start'?"),
        (("qqqq",), "no such command 'qqqq'"),
    ],
)
def test_a_name_that_there_is_not_gets_the_nearest_one(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = lakectl(*arguments, cwd=tmp_path)
    assert done.returncode == 64
    assert done.stderr.splitlines()[0] == f"error: {says}"


def test_help_of_a_command_is_the_same_by_both_ways_and_ends_with_the_options_of_every_command(tmp_path: Path) -> None:
    asked = lakectl("help", "local", "stop", cwd=tmp_path).stdout
    assert asked == lakectl("local", "stop", "--help", cwd=tmp_path).stdout
    own, of_every = lakectl("help", "land", cwd=tmp_path).stdout.split("Options of every command:")
    assert "--ingest-date" in own
    assert {"--region", "--json", "--verbose", "--quiet", "--no-input", "--help"} <= set(
        of_every.replace(",", " ").split()
    )


def test_an_error_wraps_between_words_and_has_colour_only_where_it_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "a-file-with-a-name-that-is-much-longer-than-the-terminal-is-wide.csv"
    told = on_a_terminal("land", str(file), cwd=tmp_path, columns=60)
    assert "\x1b[31merror: " in told
    assert str(file) in told.split()
    assert "\x1b[31m" not in on_a_terminal("land", str(file), cwd=tmp_path, columns=60, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal("land", str(file), cwd=tmp_path, columns=60, TERM="dumb")


@pytest.mark.usefixtures("endpoint")
def test_the_local_target_takes_nothing_that_the_shell_says_of_aws(tmp_path: Path) -> None:
    """A profile that is not there, a proxy that refuses, another region and settings that botocore can't read."""
    plain = lakectl("plan", "--json", cwd=tmp_path)
    assert plain.returncode == 2, plain.stderr
    done = lakectl("plan", "--json", cwd=tmp_path, **SHELL)
    assert (done.returncode, done.stdout) == (2, plain.stdout), done.stderr


@pytest.mark.usefixtures("endpoint")
def test_quiet_prints_answers_and_errors_only_and_vv_each_call(tmp_path: Path) -> None:
    made = lakectl("create-table", "-q", "--name", "quiet", cwd=tmp_path)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    again = lakectl("-vv", "create-table", "--name", "quiet", cwd=tmp_path)
    assert again.returncode == 0
    assert any(line.startswith("dynamodb DescribeTable  200  ") for line in again.stderr.splitlines())
    assert "Credential" not in again.stderr
    refused = lakectl("down", "--no-input", "--name", "quiet", cwd=tmp_path)
    assert refused.returncode == 64
    assert "--no-input" in refused.stderr
    assert "lakectl down --yes" in refused.stderr
    gone = lakectl("down", "--yes", "-q", "--name", "quiet", cwd=tmp_path)
    assert (gone.returncode, gone.stdout, gone.stderr) == (0, "", "")


def test_up_asks_before_the_first_write_where_somebody_pays(tmp_path: Path, endpoint: Endpoint) -> None:
    """An AWS is what the endpoint is for, here: it is named as one."""
    keys = {"AWS_ACCESS_KEY_ID": endpoint.access_key_id, "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key}
    where = ("--target", "aws", "--endpoint-url", endpoint.url, "--name", "paid", "--region", endpoint.region)
    for how in ((), ("--no-input",)):
        asked = lakectl("up", *where, *how, cwd=tmp_path, **keys)
        assert asked.returncode == 64
        assert f"account {endpoint.account_id}, {endpoint.region}" in asked.stderr
        assert "USD" in asked.stderr
        assert "not confirmed, so nothing was written" in asked.stderr
    absent = json.loads(lakectl("status", *where, "--json", cwd=tmp_path, **keys).stdout)
    assert {each["state"] for each in absent} == {"absent", "waits"}
    made = lakectl("up", *where, "--yes", cwd=tmp_path, **keys)
    assert made.returncode == 0, made.stderr
    assert "  ✓ created 3 s3-buckets  " in made.stdout
    assert len(made.stdout.splitlines()) < 25
    status = lakectl("status", *where, cwd=tmp_path, **keys).stdout
    assert "49 of 50 resources are in place" in status
    assert re.search(r"It holds [\d.]+ \w+ in S3: [^.]*\.?[^.]* USD a month while nothing happens\. Idle it", status)
    planned = lakectl("plan", *where, cwd=tmp_path, **keys).stdout
    assert "A run of the job costs 0.015 USD for its first minute (2 x G.1X)" in planned
    assert "arn:aws:s3:::" in lakectl("status", "-v", *where, cwd=tmp_path, **keys).stdout
    again = lakectl("up", *where, cwd=tmp_path, **keys)  # nothing to write, so nothing is asked
    assert again.returncode == 0
    gone = lakectl("down", *where, "--yes", "-v", cwd=tmp_path, **keys)
    assert "  ✓ deleted s3-bucket org-demo-lake-raw-paid  " in gone.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, tmp_path: Path) -> None:
    done = lakectl("completion", shell, cwd=tmp_path)
    assert done.returncode == 0
    assert f"_LAKECTL_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("lakectl sta", {"status"}),
        ("lakectl local re", {"reset", "restore"}),
        ("lakectl runs o", {"orders"}),
        ("lakectl query 0", {f"{number:02}" for number in range(1, 10)}),
        ("lakectl snapshots p", {"products_silver"}),
        ("lakectl run-transform --attach jr", set()),
    ],
)
def test_completion_offers(line: str, offers: set[str], tmp_path: Path) -> None:
    """The local AWS is not started for it."""
    *words, last = line.split()
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words)), "_LAKECTL_COMPLETE": "bash_complete"}
    program = "from lakectl.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **asked, "XDG_STATE_HOME": str(tmp_path)},
        check=False,
    )
    found = {each.partition(",")[2] for each in done.stdout.split()}
    assert {name[:2] if last == "0" else name for name in found} == offers, done.stderr
    assert not (tmp_path / "lakectl").exists()


def test_config_show_names_the_place_of_each_value(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/lake.yaml").write_text(
        "name: mine\nglue:\n  workers: 3\nsources:\n  orders:\n    keys: [id]\n    columns: {id: bigint}\n"
    )
    done = lakectl("config", "show", "--json", "--name", "flagged", cwd=tmp_path, LAKECTL_REGION="eu-west-3")
    assert done.returncode == 0, done.stderr
    found = {each["key"]: (each["value"], each["origin"]) for each in json.loads(done.stdout)}
    assert found["name"] == ("flagged", "--name")
    assert found["region"] == ("eu-west-3", "LAKECTL_REGION")
    assert found["glue.workers"] == (3, "config/lake.yaml:3")
    assert found["glue.version"] == ("5.1", "default")
    assert found["sources.orders.columns.id"] == ("bigint", "config/lake.yaml:7")
    assert found["checks.null_keys"] == ("fail", "default")


def test_a_question_that_is_not_answered_is_no_yes() -> None:
    done = CliRunner().invoke(cli, ["local", "reset", "--no-input"])
    assert isinstance(done.exception, UsageError)
    assert "nothing was deleted" in done.exception.message


@pytest.mark.usefixtures("endpoint")
def test_a_second_lake_with_the_same_names_is_told_how_to_live_beside_the_first(tmp_path: Path) -> None:
    assert lakectl("create-roles", "--name", "first", "-q", cwd=tmp_path).returncode == 0
    try:
        refused = lakectl("create-roles", "--name", "second", cwd=tmp_path)
    finally:
        gone = lakectl("down", "--yes", "-q", "--name", "first", cwd=tmp_path)
    assert gone.returncode == 0
    assert refused.returncode == 1
    error, hint = refused.stderr.splitlines()
    assert error.startswith("error: part of lake 'first', so left alone: iam-role/lambda-log-ingestion-run-role, ")
    assert "suffix_names: true" in hint
