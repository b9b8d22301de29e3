"""Suites that nobody here wrote, against the local endpoint and against plain moto: ``make evidence SUITES=folder``.

The folder holds checkouts: ``s3-tests`` (github.com/ceph/s3-tests), ``moto`` (github.com/getmoto/moto, without its
folder ``moto``: the pinned release is installed) and ``iceberg-python`` (github.com/apache/iceberg-python). Prints for
each suite how many tests pass here and with moto's own server, and writes what failed to ``build/evidence``.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from lakectl.local import control

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUT = ROOT / "build" / "evidence"
PYTHON = ROOT / ".venv-evidence" / "bin" / "python"
REGION = "us-east-1"
START_SECONDS = 60.0
TEST_SECONDS = 120
BUCKET = "evidence-bucket"
LAKE = ("athena", "awslambda", "dynamodb", "events", "iam", "lakeformation", "logs", "s3", "sns")


@dataclass(frozen=True)
class Endpoint:
    host: str
    port: int
    access_key: str
    secret_key: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True)
class Suite:
    """``paths`` may be patterns; ``plugin`` stands beside this file."""

    name: str
    folder: str
    paths: tuple[str, ...]
    options: tuple[str, ...] = ()
    plugin: str = ""


SUITES = (
    Suite(
        "s3-tests",
        "s3-tests",
        ("s3tests/functional/test_s3.py", "s3tests/functional/test_headers.py"),
        plugin="one_pair_of_keys",
    ),
    Suite("moto, verified on AWS", "moto", tuple(f"tests/test_{each}" for each in LAKE), ("-m", "aws_verified")),
    Suite(
        "Iceberg's Glue catalog",
        "iceberg-python",
        ("tests/catalog/integration_test_glue.py",),
        plugin="on_the_endpoint",
    ),
)


@dataclass(frozen=True)
class Count:
    passed: int
    judged: int  # without skipped ones

    def __str__(self) -> str:
        return f"{self.passed} of {self.judged}"


@contextmanager
def ours() -> Iterator[Endpoint]:
    """A local endpoint with a state of its own."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        running = control.ensure_running(region=REGION)
        try:
            yield Endpoint("127.0.0.1", running.port, running.access_key_id, running.secret_access_key)
        finally:
            control.stop()


@contextmanager
def plain_moto() -> Iterator[Endpoint]:
    """moto's own server, as pinned here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield Endpoint("127.0.0.1", port, "testing", "testing")
    finally:
        server.terminate()
        server.wait(10)


def run(suite: Suite, checkouts: Path, endpoint: Endpoint, label: str) -> Count:
    """Runs the suite's pytest in its checkout. Its own failures are no error of ours."""
    report = OUT / f"{suite.name.replace(' ', '-')}-{label}.xml"
    settings = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "AWS_ACCESS_KEY_ID": endpoint.access_key,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_TEST_BUCKET": BUCKET,
        "MOTO_TEST_ALLOW_AWS_REQUEST": "true",
        "PYTHONPATH": str(HERE),
        "S3TEST_CONF": str(_s3_tests_settings(endpoint, label)),
    }
    command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}"]
    command += [*(("-p", suite.plugin) if suite.plugin else ()), f"--junitxml={report}", *suite.options]
    paths = [path for path in suite.paths if (checkouts / suite.folder / path).exists()]
    with report.with_suffix(".log").open("wb") as log:
        done = subprocess.run(
            [*command, *paths], cwd=checkouts / suite.folder, env=settings, stdout=log, stderr=log, check=False
        )
    if done.returncode not in (0, 1) or not report.exists():
        raise SystemExit(f"{suite.name} did not run: see {report.with_suffix('.log')}")
    return count(report)


def count(report: Path) -> Count:
    """Tests that passed, of those that were not skipped; a test with an error while it is set up has failed."""
    outcomes: dict[str, set[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        name = f"{case.get('classname')}::{case.get('name')}"
        outcomes.setdefault(name, set()).update(child.tag for child in case)
    judged = {name: tags for name, tags in outcomes.items() if "skipped" not in tags}
    return Count(sum(not tags & {"failure", "error"} for tags in judged.values()), len(judged))


def _s3_tests_settings(endpoint: Endpoint, label: str) -> Path:
    """s3-tests wants several users; those that need them are left out."""
    user = {
        "access_key": endpoint.access_key,
        "secret_key": endpoint.secret_key,
        "user_id": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a",
        "display_name": "webfile",
        "email": "webfile@example.com",
    }
    sections: dict[str, dict[str, str]] = {
        "DEFAULT": {"host": endpoint.host, "port": str(endpoint.port), "is_secure": "False", "ssl_verify": "False"},
        "fixtures": {"bucket prefix": "evidence-{random}-"},
        "s3 main": {**user, "api_name": ""},
        "s3 tenant": {**user, "tenant": ""},
        **dict.fromkeys(("s3 alt", "iam", "iam root", "iam alt root"), user),
    }
    file = OUT / f"s3-tests-{label}.conf"
    lines = [
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in each.items()) for name, each in sections.items()
    ]
    file.write_text("\n".join(lines))
    return file


def commit_of(checkout: Path) -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=False)
    return found.stdout.strip()[:12] or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--only", help="suites whose name begins so")
    parser.add_argument("--without-moto", action="store_true")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    wanted = [suite for suite in SUITES if suite.name.startswith(arguments.only or "")]
    for suite in wanted:
        folder = arguments.checkouts / suite.folder
        if not folder.is_dir():
            print(f"{suite.name}: there is no {folder}")
            continue
        with ours() as endpoint:
            here = run(suite, arguments.checkouts, endpoint, "here")
        told = f"{suite.name} ({commit_of(folder)}): {here}"
        if not arguments.without_moto:
            with plain_moto() as endpoint:
                told += f"; plain moto {run(suite, arguments.checkouts, endpoint, 'moto')}"
        print(told, flush=True)


if __name__ == "__main__":
    main()
