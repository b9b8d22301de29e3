"""A fresh local endpoint for a measurement, and the processes that are measured on it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from lakectl import project
from lakectl.aws import Aws
from lakectl.config import Config, load
from lakectl.local import control
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake


@dataclass(frozen=True)
class Settings:
    """Where the tutorial's scripts and the AWS CLI are; None = not there, so what needs them is left out."""

    scripts: Path | None
    aws_cli: Path | None

    @property
    def missing(self) -> str:
        """What has to be given to compare with the tutorial; empty when all is there."""
        parts = []
        if self.scripts is None:
            parts.append("--tutorial-scripts DIR")
        if self.aws_cli is None:
            parts.append("--aws PATH")
        return " and ".join(parts)


@dataclass(frozen=True)
class Figure:
    """One line of the result. ``met`` is None for what is only told."""

    what: str
    measured: str
    promised: str = ""
    met: bool | None = field(default=None)


@contextmanager
def fresh_endpoint() -> Iterator[Endpoint]:
    """A local endpoint of its own that holds nothing; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="lakectl-bench-") as folder:
        before = os.environ.get("XDG_STATE_HOME")
        os.environ["XDG_STATE_HOME"] = folder
        try:
            yield control.ensure_running(region="eu-west-1")
        finally:
            control.stop()
            if before is None:
                del os.environ["XDG_STATE_HOME"]
            else:
                os.environ["XDG_STATE_HOME"] = before


def lakectl(*arguments: str) -> float:
    """Seconds of a whole ``lakectl`` process. Exit code 2 (``plan`` found changes) and worse raise."""
    return timed([sys.executable, "-m", "lakectl", *arguments], {})


def script(settings: Settings, name: str, endpoint: Endpoint, *arguments: str) -> float:
    """Seconds of a whole script of the tutorial, with its commands as they stand."""
    assert settings.scripts is not None
    assert settings.aws_cli is not None
    with tempfile.TemporaryDirectory(prefix="lakectl-bench-") as data:
        for source in ("orders", "customers", "products"):
            Path(data, f"{source}.csv").write_text("id\n1\n")
        extra = {
            "AWS": str(settings.aws_cli),
            "DATA": data,
            "REGION": endpoint.region,
            "NAME": "demo",
            "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
            "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        }
        return timed(["bash", str(settings.scripts / name), endpoint.url, *arguments], extra)


def timed(command: list[str], extra: Mapping[str, str]) -> float:
    started = time.perf_counter()
    ended = subprocess.run(command, env={**os.environ, **extra}, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if ended.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"
        )
    return seconds


def open_lake(endpoint: Endpoint, config_file: Path | None = None) -> Lake:
    """The lake of a config file (default: the tutorial's) on ``endpoint``."""
    session = boto3.Session(endpoint.access_key_id, endpoint.secret_access_key, region_name=endpoint.region)
    found = project.find(str(config_file) if config_file else None)
    config = load(config_file) if config_file else Config()
    return Lake(config, found, Aws(session, endpoint.region, endpoint.url))


def put_versions(lake: Lake, count: int) -> None:
    """``count`` object versions in the raw bucket, under keys that nothing listens to."""
    s3, bucket = lake.client("s3"), lake.names.raw_bucket
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=bucket, Key=f"bench/{n:05d}.csv", Body=b"x" * 200), range(count)))
