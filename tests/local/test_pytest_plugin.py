"""The plugin for other people's tests: docs/testing.md, followed to the letter, and what the page promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from lakectl.local import control, saved
from lakectl.local.control import Endpoint
from lakectl.local.forks import Forks

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
FILE = re.compile(r"```python\n# (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run_pytest(project: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(project), *arguments]
    return subprocess.run(
        command, cwd=project, env=environ | {"XDG_STATE_HOME": str(home)}, capture_output=True, text=True
    )


@pytest.mark.long  # 16 s
def test_the_example_of_the_page_runs_in_parallel_too(project: Path, tmp_path: Path) -> None:
    ended = run_pytest(project, "-n", "2", "test_orders.py", home=tmp_path)
    assert "3 passed" in ended.stdout, ended.stdout


def test_a_test_begins_with_a_saved_state(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    forks = Forks(tmp_path / "forks")
    try:
        s3 = client(forks.start_in(tmp_path), "s3")
        s3.create_bucket(Bucket="orders", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="orders", Key="k", Body=b"1")
        saved.save("with-orders")
    finally:
        forks.close()
    ended = run_pytest(project, "test_with_state.py", home=tmp_path)
    assert "2 passed" in ended.stdout, ended.stdout
    missing = run_pytest(project, "-o", "lakectl_snapshot=other", "test_orders.py", "-k", "query", home=tmp_path)
    assert "there is no saved state 'other'" in missing.stdout


def client(endpoint: Endpoint, service: str) -> Any:
    keys = {"aws_access_key_id": endpoint.access_key_id, "aws_secret_access_key": endpoint.secret_access_key}
    return boto3.client(service, endpoint_url=endpoint.url, region_name=endpoint.region, **keys)


@pytest.mark.parametrize("bucket", ["first", "second"])
def test_each_test_has_an_aws_of_its_own(lakectl_session: Any, lakectl_endpoint: Endpoint, bucket: str) -> None:
    s3 = lakectl_session.client("s3")
    assert s3.list_buckets()["Buckets"] == []
    s3.create_bucket(Bucket="the-same", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert boto3.client("s3").list_buckets()["Buckets"][0]["Name"] == "the-same"
    assert bucket not in os.environ.get("AWS_PROFILE", "")
    running = control.running()  # lakectl itself finds it
    assert running is not None
    assert running.url == lakectl_endpoint.url


def test_the_environment_is_as_before(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        plugin = sys.modules["lakectl.pytest_plugin"]
        forks, known = (request.getfixturevalue(name) for name in ("_lakectl_forks", "_lakectl_saved"))
        fixture = plugin.lakectl_endpoint.__wrapped__(request, patch, forks, known)
        endpoint = next(fixture)
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ENDPOINT_URL"] == endpoint.url
        with pytest.raises(StopIteration):
            next(fixture)
    assert {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"} == {
        name: value for name, value in before.items() if name != "PYTEST_CURRENT_TEST"
    }


def test_an_endpoint_that_can_not_start_says_why(tmp_path: Path) -> None:
    forks = Forks(tmp_path)
    folder = tmp_path / "home" / "lakectl" / "local" / control.STATE_FOLDER
    folder.mkdir(parents=True)
    (folder / "state.sqlite3").write_bytes(b"garbage" * 1000)
    try:
        with pytest.raises(control.LakectlError, match=r"did not start.*can't be read"):
            forks.start_in(tmp_path / "home")
    finally:
        forks.close()


def test_the_servers_end_with_who_started_them(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from lakectl.local.forks import Forks\n"
        "print(Forks(Path(sys.argv[1])).take('eu-west-1')[0].pid, flush=True); os._exit(1)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    pid = int(ended.stdout)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_test_run_without_it_imports_neither_boto3_nor_moto(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n\ndef test_nothing():\n"
        "    heavy = {'boto3', 'botocore', 'moto', 'lakectl.local', 'lakectl.local.control', 'lakectl.local.forks'}\n"
        "    assert 'lakectl.pytest_plugin' in sys.modules\n    assert heavy & set(sys.modules) == set()\n"
    )
    ended = run_pytest(tmp_path, home=tmp_path)
    assert "1 passed" in ended.stdout, ended.stdout
