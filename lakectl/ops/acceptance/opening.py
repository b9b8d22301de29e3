"""The lake of an acceptance: the tutorial's, under a name of its own, with bounds to what it can cost."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from lakectl import project
from lakectl.aws import apart
from lakectl.config import Config, load
from lakectl.errors import UsageError
from lakectl.ops.lake import Lake

CONFIG_FILE = "lake.yaml"
# What bounds the cost, and keeps nothing longer than needed.
SETTINGS: dict[str, Any] = {
    "suffix_names": True,
    "glue": {"timeout_minutes": 10, "log_retention_days": 1},
    "functions": {"log_retention_days": 1},
    "athena": {"bytes_scanned_cutoff": 100_000_000, "expire_results_after_days": 1},
}
CHOSEN = ("target", "region", "profile", "endpoint_url")


def folder(named: Path | None) -> Path:
    """The folder for the evidence: the ``named`` one, else ``acceptance-<time>``. Raises :class:`UsageError`."""
    path = named or Path(f"acceptance-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise UsageError(f"{path} is not empty", "name a folder of its own with --out")
    except OSError as error:
        raise UsageError(f"can't write {path}: {error.strerror}", "name a folder with --out") from error
    return path


@contextmanager
def opened(chosen: Config, out: Path, progress: Callable[[str], None]) -> Iterator[tuple[Lake, str]]:
    """The lake, of which nothing is made yet, and the command that deletes it by hand.

    ``chosen`` says where: target, region, profile and endpoint. What is made on this machine ends with the block.
    """
    where = {key: value for key in CHOSEN if (value := getattr(chosen, key)) is not None}
    name = f"acceptance-{secrets.token_hex(4)}"
    file = out / CONFIG_FILE
    # Written before anything is made: whoever kills this process can still delete the lake.
    try:
        file.write_text(yaml.safe_dump({"name": name, **where, **SETTINGS}, sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't write {file}: {error.strerror}", "name a folder with --out") from error
    config = load(file, {"name": name, **where})
    with apart(config, progress) as aws:
        shipped = project.find(str(project.shipped_root() / "config/lake.yaml"))
        yield Lake(config, replace(shipped), aws), delete_command(name, where, file)


def delete_command(name: str, where: dict[str, str], file: Path) -> str:
    """With each setting as a flag: what the shell or the file's folder says must not lead elsewhere."""
    words = ["lakectl", "down", "--yes", "-c", str(file), "--name", name]
    for key, value in where.items():
        words += ["--" + key.replace("_", "-"), value]
    return shlex.join(words)
