"""Whose credentials a query reads and writes with, and clients that sign with them.

A query has the permissions of the caller of StartQueryExecution, in Glue and in S3
(https://docs.aws.amazon.com/athena/latest/ug/security-iam-athena.html). So each of its requests goes to the endpoint
signed with that caller's own key, and the endpoint judges it as it judges every other request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lakectl.local.context import LocalContext
from lakectl.local.iam.credentials import SESSIONS, Keys


@dataclass(frozen=True)
class Access:
    """An endpoint, a region and the keys to sign with."""

    endpoint_url: str
    region: str
    keys: Keys

    def client(self, service: str) -> Any:
        """A boto3 client. The most recent ones are kept, since each takes about 20 ms to make. Thread-safe."""
        return _client(self, service)


@lru_cache(maxsize=32)
def _client(access: Access, service: str) -> Any:
    import boto3
    import botocore.session
    from botocore.config import Config

    inner = botocore.session.Session()
    inner.register_component("data_loader", _loader())
    if service == "s3":  # half of a listing's cost is reading its times, and no query asks for them
        inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    session = boto3.session.Session(
        aws_access_key_id=access.keys.access_key_id,
        aws_secret_access_key=access.keys.secret_access_key,
        aws_session_token=access.keys.session_token or None,
        region_name=access.region,
        botocore_session=inner,
    )
    config = Config(max_pool_connections=32, s3={"addressing_style": "path"})
    return session.client(service, endpoint_url=access.endpoint_url, config=config)


@lru_cache(maxsize=1)
def _loader() -> Any:
    """One for all sessions: each would read the services' models again."""
    import botocore.session

    return botocore.session.Session().get_component("data_loader")


def keys_of(access_key_id: str, context: LocalContext) -> Keys | None:
    """The key pair with this id: the owner's, a role session's or a user's. None if there is no such key (any more)."""
    from lakectl.local.iam import identities  # not in a query's process: it loads moto

    if access_key_id == context.access_key_id:
        return Keys(context.access_key_id, context.secret_access_key)
    session = SESSIONS.find(access_key_id)
    if session is not None:
        return session.keys
    assumed = identities.find_assumed(access_key_id, context.account_id)
    if assumed is not None:
        return Keys(access_key_id, assumed.secret_access_key, assumed.session_token)
    found = identities.find_user(access_key_id, context.account_id)
    return Keys(access_key_id, found[1]) if found is not None else None
