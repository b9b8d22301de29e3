"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lakes import open_test_lake

from lakectl.local.control import Endpoint


@pytest.fixture(scope="module")
def folder(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The config of a lake that is nothing but an Athena workgroup."""
    lake, folder = open_test_lake(endpoint), tmp_path_factory.mktemp("query")
    bucket = f"query-{lake.config.name}"
    lake.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/"}}
    lake.client("athena").create_work_group(Name=lake.names.workgroup, Configuration=configuration)
    (folder / "lake.yaml").write_text(f"name: {lake.config.name}\nsuffix_names: true\n")
    yield folder
    lake.client("athena").delete_work_group(WorkGroup=lake.names.workgroup, RecursiveDeleteOption=True)
    for item in lake.client("s3").list_objects_v2(Bucket=bucket).get("Contents", []):
        lake.client("s3").delete_object(Bucket=bucket, Key=item["Key"])
    lake.client("s3").delete_bucket(Bucket=bucket)
