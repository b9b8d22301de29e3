"""Fixtures for tests of what uses AWS: each test gets a local AWS of its own. The page is ``docs/testing.md``.

pytest loads this module at each start, wherever lakectl is installed: it imports nothing that is not there already.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lakectl.local.control import Endpoint
    from lakectl.local.forks import Forks

MARKER = "lakectl_snapshot"
REGION = "eu-west-1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("lakectl_region", "the region of the local AWS in tests", default=REGION)
    parser.addini(MARKER, "the saved state that each test's local AWS begins with: a name, or a path", default="")


def pytest_configure(config: pytest.Config) -> None:
    text = "the test's local AWS begins with this state: a name of `lakectl local list`, a path, or None for nothing"
    config.addinivalue_line("markers", f"{MARKER}(state): {text}")


@pytest.fixture(scope="session")
def _lakectl_saved() -> Path:
    """Where `lakectl local save` keeps states, before a test changes the environment."""
    from lakectl.local import control, saved

    return control.server_dir() / saved.FOLDER


@pytest.fixture(scope="session")
def _lakectl_forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    from lakectl.local.forks import Forks

    forks = Forks(tmp_path_factory.mktemp("lakectl"))
    yield forks
    forks.close()


@pytest.fixture
def lakectl_endpoint(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _lakectl_forks: Forks, _lakectl_saved: Path
) -> Iterator[Endpoint]:
    """A local AWS for this test alone: ``url``, ``region``, ``account_id``, ``access_key_id``, ``secret_access_key``.

    The environment leads every AWS client there, boto3's default session too, and `lakectl` itself.
    """
    config = request.config
    marker = request.node.get_closest_marker(MARKER)
    state = marker.args[0] if marker else config.getini(MARKER)
    source = _folder(state, config.rootpath, _lakectl_saved) if state else None
    endpoint, home = _lakectl_forks.take(config.getini("lakectl_region"), source)
    try:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in environ(endpoint, home).items():
            monkeypatch.setenv(name, value)
        _forget_default_session()
        yield endpoint
    finally:
        _forget_default_session()
        _lakectl_forks.give_back(endpoint, home)


@pytest.fixture
def lakectl_session(lakectl_endpoint: Endpoint) -> Any:
    """A ``boto3.Session`` on the test's local AWS."""
    import boto3

    return boto3.Session(region_name=lakectl_endpoint.region)


def environ(endpoint: Endpoint, home: Path) -> dict[str, str]:
    """The variables that lead AWS clients to ``endpoint``, and nothing of the person's own settings."""
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_REGION": endpoint.region,
        "AWS_DEFAULT_REGION": endpoint.region,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_STATE_HOME": str(home),
    }


def _folder(state: str, root: Path, known: Path) -> Path:
    from lakectl.local import saved

    folder = root / state if os.sep in state else known / state
    if not (folder / saved.ABOUT).exists():
        raise pytest.UsageError(f"there is no saved state {state!r} in {folder.parent}: lakectl local save makes one")
    return folder


def _forget_default_session() -> None:
    """boto3 keeps one for a whole process, with the keys that it found first."""
    boto3 = sys.modules.get("boto3")
    if boto3 is not None:
        vars(boto3)["DEFAULT_SESSION"] = None
