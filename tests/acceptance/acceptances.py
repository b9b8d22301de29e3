"""`lakectl acceptance` as real processes, and what they left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakectl.local.apart import PREFIX
from lakectl.local.control import Endpoint

LIMIT_S = 2100


def start(
    cwd: Path, *arguments: str, endpoint: Endpoint | None = None, url: str = "", temporary: Path | None = None
) -> subprocess.Popen[str]:
    """The process; with ``endpoint`` it takes ``url`` for AWS, else it is on this machine. Evidence: ``cwd/out``."""
    line = [sys.executable, "-m", "lakectl", "acceptance", "--out", "out", *arguments]
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONUNBUFFERED": "1", "LAKECTL_GLUE_STANDBY": "0"}
    environ |= {"XDG_STATE_HOME": str(cwd / "state"), "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", _cache())}
    environ |= {"TMPDIR": str(temporary)} if temporary else {}
    if endpoint:
        environ |= {"AWS_ACCESS_KEY_ID": endpoint.access_key_id, "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key}
        line += ["--target", "aws", "--endpoint-url", url or endpoint.url, "--region", endpoint.region, "--yes"]
        line += ["--observe", "0"]
    return subprocess.Popen(
        line, env=environ, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def _cache() -> str:
    return str(Path.home() / ".cache")


def finish(process: subprocess.Popen[str], limit_s: float = LIMIT_S) -> str:
    """All that it printed."""
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise AssertionError(f"hangs: {output}") from None
    return output


def evidence(cwd: Path) -> tuple[dict[str, Any], str]:
    """``evidence.json`` as data, and both files as one text."""
    text = (cwd / "out/evidence.json").read_text()
    return json.loads(text), text + (cwd / "out/evidence.md").read_text()


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in found["steps"]}


def left(client: Callable[..., Any]) -> list[str]:
    """The names of an acceptance's resources, of the kinds that each lake has, on the shared endpoint."""
    names = [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
    names += [role["RoleName"] for role in client("iam").list_roles()["Roles"]]
    names += [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]]
    names += client("dynamodb").list_tables()["TableNames"] + client("sqs").list_queues().get("QueueUrls", [])
    names += [each["Name"] for each in client("glue").get_databases()["DatabaseList"]]
    names += [each["Name"] for each in client("events").list_rules()["Rules"]]
    return [name for name in names if "acceptance" in name]


def servers_apart(temporary: Path) -> list[Path]:
    """Folders of servers that stand apart, of processes whose temporary folder that is."""
    return sorted(temporary.glob(f"{PREFIX}*"))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """With a short name: a server has sockets in it, whose names are bounded."""
    with tempfile.TemporaryDirectory(prefix="lk-") as folder:
        yield Path(folder)
