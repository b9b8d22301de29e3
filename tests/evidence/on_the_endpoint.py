"""pytest plugin for suites that mock AWS in their own process: they get the endpoint and its keys instead.

``moto.mock_aws`` does nothing then, and neither does a moto server in the suite's process: what the suite asks goes to
``AWS_ENDPOINT_URL``, and so do the files of tables. What a test leaves behind is deleted before the next one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

KEYS = {name: os.environ[name] for name in os.environ if name.startswith("AWS_")}


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _mock_aws(function: Callable[..., Any] | None = None, **_: Any) -> Any:
    return _nothing() if function is None else function


class _NoServer:
    """Stands where the suite starts moto's server: the endpoint runs already."""

    def __init__(self, **_: Any) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...

    def get_host_and_port(self) -> tuple[str, int]:
        split = urlsplit(KEYS["AWS_ENDPOINT_URL"])
        return str(split.hostname), int(split.port or 80)


def pytest_configure() -> None:
    import moto
    import moto.server

    moto.mock_aws = _mock_aws
    moto.server.ThreadedMotoServer = _NoServer
    _adapt()
    _tell_endpoint()
    boto3.client("s3").create_bucket(Bucket=KEYS["AWS_TEST_BUCKET"])


def _tell_endpoint() -> None:
    """PyArrow's own client reads no ``AWS_ENDPOINT_URL``."""
    from pyiceberg.catalog.glue import GlueCatalog

    original = GlueCatalog.__init__

    def init(self: GlueCatalog, *arguments: Any, **properties: Any) -> None:
        original(self, *arguments, **{"s3.endpoint": KEYS["AWS_ENDPOINT_URL"], **properties})

    GlueCatalog.__init__ = init


def _adapt() -> None:
    """S3 has no bucket with an underscore in its name, as the suite's is called, and knows other keys."""
    from tests import conftest

    for module in [each for each in sys.modules.values() if getattr(each, "__file__", None) == conftest.__file__]:
        pattern = module.TABLE_METADATA_LOCATION_REGEX.pattern
        module.aws_credentials = _no_keys_of_its_own
        module.BUCKET_NAME = module.BUCKET_NAME.replace("_", "-")
        module.TABLE_METADATA_LOCATION_REGEX = re.compile(pattern.replace("test_bucket", "test-bucket"), re.VERBOSE)


def pytest_sessionstart() -> None:
    """Under the name that pytest gives the suite's conftest, too."""
    _adapt()


def _no_keys_of_its_own() -> None:
    """In place of what sets the suite's keys; its fixture takes these tokens away again."""
    os.environ.update(KEYS, AWS_SECURITY_TOKEN="", AWS_SESSION_TOKEN="")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    os.environ.update(KEYS)
    for bucket in boto3.resource("s3").buckets.all():
        if bucket.name != KEYS["AWS_TEST_BUCKET"]:
            bucket.object_versions.delete()
            bucket.delete()
    glue = boto3.client("glue")
    for database in glue.get_databases()["DatabaseList"]:
        glue.delete_database(Name=database["Name"])
