"""pytest plugin for Iceberg's tests of the Glue catalog that run on AWS: PyArrow's own client gets the endpoint, too.

It reads no ``AWS_ENDPOINT_URL``. The bucket ``AWS_TEST_BUCKET`` is made, and databases that a test leaves behind are
deleted before the next one.
"""

from __future__ import annotations

import os
from typing import Any

import boto3


def pytest_configure() -> None:
    from pyiceberg.catalog.glue import GlueCatalog

    original = GlueCatalog.__init__

    def init(self: GlueCatalog, *arguments: Any, **properties: Any) -> None:
        original(self, *arguments, **{"s3.endpoint": os.environ["AWS_ENDPOINT_URL"], **properties})

    GlueCatalog.__init__ = init
    boto3.client("s3").create_bucket(Bucket=os.environ["AWS_TEST_BUCKET"])


def pytest_runtest_setup() -> None:
    glue = boto3.client("glue")
    for database in glue.get_databases()["DatabaseList"]:
        glue.delete_database(Name=database["Name"])
