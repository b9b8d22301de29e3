"""Who is asked for the rows: the local endpoint, or with ``--aws`` an account, whose answers are recorded.

docs/aws.md has the options, and what the recording is for.
"""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest
from accounts import Account, local_account

from lakectl.contract import recordings
from lakectl.contract.asking import Where, clients_of

ATTEMPTS = 5  # a throttled call is no answer


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "the table of behaviours against an account (docs/aws.md)")
    group.addoption("--aws", action="store_true", help="Ask an AWS account, and record what it answers.")
    group.addoption("--aws-profile", metavar="PROFILE", help="With --aws: the profile (default: AWS_PROFILE).")
    group.addoption("--aws-region", metavar="REGION", help="With --aws: the region (default: AWS_REGION).")
    group.addoption("--aws-endpoint-url", metavar="URL", help="With --aws: try it on this endpoint.")
    group.addoption("--aws-snapshot", metavar="FILE", help="With --aws: where it is recorded.")


KEY = pytest.StashKey[Account]()


def pytest_configure(config: pytest.Config) -> None:
    """The credentials are looked up here: a fixture takes the settings of AWS out of the environment."""
    if not config.getoption("--aws", default=False):
        return
    if config.getoption("numprocesses", default=None):
        raise pytest.UsageError("--aws records one file: run it without -n")
    url, file = config.getoption("--aws-endpoint-url"), config.getoption("--aws-snapshot")
    if url and not file:
        raise pytest.UsageError("--aws-endpoint-url is for trying it out: name a file with --aws-snapshot")
    profile = config.getoption("--aws-profile") or os.environ.get("AWS_PROFILE")
    region = config.getoption("--aws-region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    session = boto3.Session(profile_name=profile, region_name=region)
    if session.get_credentials() is None:
        raise pytest.UsageError("no AWS credentials: name a profile with --aws-profile")
    if session.region_name is None:
        raise pytest.UsageError("no region: name one with --aws-region")
    account = session.client("sts", endpoint_url=url).get_caller_identity()["Account"]
    config.stash[KEY] = Account(
        clients_of(session, url, ATTEMPTS),
        Where(account, session.region_name, patient=not url),
        Path(file) if file else recordings.SHIPPED,
        "another endpoint" if url else recordings.AWS,
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    account = config.stash.get(KEY, None)
    if account and account.snapshot and account.rows:
        recordings.write(account.snapshot, account.rows)


@pytest.fixture(scope="session")
def recording(request: pytest.FixtureRequest) -> bool:
    return KEY in request.config.stash


@pytest.fixture(scope="session")
def asked(request: pytest.FixtureRequest) -> Account:
    """The account, or the local endpoint, which is started only if it is the one that is asked."""
    known = request.config.stash.get(KEY, None)
    return known or local_account(request.getfixturevalue("endpoint"))
