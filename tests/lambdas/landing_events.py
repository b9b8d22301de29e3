"""The events that a landing causes, in both shapes, and the functions that take them."""

from __future__ import annotations

import importlib.util
import io
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote_plus

from lakectl import packages, project
from lakectl.config import Config
from lakectl.core.landing import LandingZone
from lakectl.spec.json_form import from_json, to_json
from lakectl.spec.model import LakeSpec

SPEC = Config().spec
ZONE = LandingZone("retail/", SPEC.sources)

RAW = "lake-raw"
TABLE = "ingestion_runs"
JOB = "retail_bronze_to_silver"
ORDERS_KEY = "retail/orders/ingest_date=2026-11-24/orders.csv"


def load_handler(function: str, lake: LakeSpec = SPEC) -> ModuleType:
    """The function's module, loaded as Lambda does: freshly, with today's environment."""
    spec = importlib.util.spec_from_file_location(
        f"{function}_handler", unpacked(function, to_json(lake)) / "handler.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def unpacked(function: str, lake: str) -> Path:
    """The folder of the function's package."""
    folder = Path(tempfile.mkdtemp(prefix="lakectl-test-"))
    with zipfile.ZipFile(io.BytesIO(packages.function_package(project.find(), from_json(lake), function))) as package:
        package.extractall(folder)
    return folder


def record_event(
    key: str = ORDERS_KEY,
    *,
    version: str = "v1",
    etag: str = "e1",
    size: int = 100,
    time: str = "2026-11-24T10:00:00.123Z",
    sequencer: str = "0A",
    bucket: str = RAW,
    name: str = "ObjectCreated:Put",
) -> dict[str, Any]:
    """What S3 sends to a function: the key is encoded as S3 encodes it."""
    s3_object = {
        "key": quote_plus(key, safe="/"),
        "size": size,
        "eTag": etag,
        "versionId": version,
        "sequencer": sequencer,
    }
    record = {
        "eventSource": "aws:s3",
        "eventName": name,
        "eventTime": time,
        "s3": {"bucket": {"name": bucket}, "object": s3_object},
    }
    return {"Records": [record]}


def bridge_event(
    key: str = ORDERS_KEY,
    *,
    version: str = "v1",
    etag: str = "e1",
    size: int = 100,
    time: str = "2026-11-24T10:00:00Z",
    sequencer: str = "0A",
    bucket: str = RAW,
) -> dict[str, Any]:
    """What EventBridge sends for the same: the key is as it is."""
    s3_object = {"key": key, "size": size, "etag": etag, "version-id": version, "sequencer": sequencer}
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": time,
        "detail": {"bucket": {"name": bucket}, "object": s3_object, "reason": "PutObject"},
    }
