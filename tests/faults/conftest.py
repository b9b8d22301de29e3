"""A proxy in front of the endpoint, and lakes behind it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_lakes import Subject, connect
from one_resource import SingleSteps
from recording_proxy import Proxy

from lakectl.aws import Aws
from lakectl.engine import apply, retry
from lakectl.local.control import Endpoint


@pytest.fixture
def proxy(endpoint: Endpoint) -> Iterator[Proxy]:
    made = Proxy(endpoint.url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def straight(endpoint: Endpoint) -> Aws:
    """Clients on the endpoint itself, made once for all tests."""
    return connect(endpoint, endpoint.url)


@pytest.fixture
def subject(endpoint: Endpoint, straight: Aws, tmp_path: Path) -> Iterator[Subject]:
    """A lake of which nothing exists yet; whatever a test makes of it is deleted afterwards."""
    made = Subject(endpoint, straight, tmp_path, f"f{uuid.uuid4().hex[:8]}")
    yield made
    made.assert_converges_down()


@pytest.fixture
def up_subject(subject: Subject) -> Subject:
    """The same, complete, with a few objects in its buckets."""
    subject.assert_converges_up()
    lake = subject.lake()
    s3 = lake.client("s3")
    for n in range(3):
        s3.put_object(Bucket=lake.names.raw_bucket, Key=f"retail/x/{n}", Body=b"1")
    s3.create_multipart_upload(Bucket=lake.names.raw_bucket, Key="retail/x/unfinished")
    glue = lake.client("glue")
    for name in ("a", "b"):
        glue.create_table(DatabaseName=lake.names.silver_database, TableInput={"Name": name})
    return subject


@pytest.fixture(scope="module")
def shared_steps(endpoint: Endpoint) -> Iterator[SingleSteps]:
    made = SingleSteps.of(endpoint, f"b{uuid.uuid4().hex[:8]}")
    yield made
    made.close()


@pytest.fixture
def steps(shared_steps: SingleSteps, monkeypatch: pytest.MonkeyPatch) -> Iterator[SingleSteps]:
    """Single resources of one lake, behind a proxy; waits begin with a short pause."""
    for module in (apply, retry):
        monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.02)
    yield shared_steps
    shared_steps.clear()
