"""PutObject of small files over plain HTTP without boto3's machinery, which takes a millisecond of CPU for each: 1,000
small files in one `land` cost the command 1.6 s of CPU so, and 2.6 s through botocore.

Only where an endpoint is named by an ``http://`` address and reached without a proxy: on the way to AWS the network
costs far more, and boto3 knows of proxies, certificates and redirects. It reports plain success and nothing else;
whatever else comes is left to boto3, which may repeat the put because it is conditional.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.utils import get_environ_proxies

from lakectl.aws import READ_TIMEOUT_S, Aws

ALGORITHM = "AWS4-HMAC-SHA256"
REFUSED = (400, 401, 403)  # likely to be the answer to the next put too
UNSIGNED = "UNSIGNED-PAYLOAD"  # the signature covers a checksum's header, and that the body

log = logging.getLogger(__name__)


class LeanPut:
    """For any thread; each has a connection of its own."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._host = urlsplit(str(aws.endpoint_url)).netloc
        self._local = threading.local()
        self._refused = False

    @classmethod
    def to(cls, aws: Aws) -> LeanPut | None:
        """None when the endpoint of ``aws`` is not one for it."""
        url = urlsplit(aws.endpoint_url or "")
        plain = url.scheme == "http" and url.path in ("", "/") and "@" not in url.netloc
        return cls(aws) if plain and not get_environ_proxies(aws.endpoint_url) else None

    def put(self, bucket: str, key: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, str] | None:
        """The headers of the answer to a successful PutObject, else None: then it is not known what happened.

        All names are in lower case. ``headers`` hold a checksum of ``body`` and the condition.
        """
        if self._refused:
            return None
        path = "/" + quote(f"{bucket}/{key}", safe="/~")
        signed = self._signed(path, {**headers, "content-length": str(len(body)), "host": self._host})
        connection = self._connection()
        try:
            connection.request("PUT", path, body, signed)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            log.debug("put of %s is left to boto3: %s: %s", path, type(error).__name__, error)
            return None
        if answer.status != http.HTTPStatus.OK:
            log.debug("put of %s is left to boto3: HTTP %d", path, answer.status)
            self._refused = self._refused or answer.status in REFUSED
            return None
        return {name.lower(): value for name, value in answer.getheaders()}

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(self._host, timeout=READ_TIMEOUT_S)
        return connection

    def _signed(self, path: str, headers: dict[str, str]) -> dict[str, str]:
        keys = self._aws.session.get_credentials().get_frozen_credentials()  # renewed in time, if they expire
        return signed("PUT", path, headers, keys, self._aws.region, datetime.now(UTC))


def signed(method: str, path: str, headers: Mapping[str, str], keys: Any, region: str, now: datetime) -> dict[str, str]:
    """``headers`` and those of AWS's Signature Version 4 for S3 [S3 API reference, "Authenticating Requests"].

    ``path`` is percent-encoded, without a query; ``keys`` are botocore's frozen credentials; ``now`` is in UTC.
    """
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    day = moment[:8]
    scope = f"{day}/{region}/s3/aws4_request"
    full = {**headers, "x-amz-content-sha256": UNSIGNED, "x-amz-date": moment}
    if keys.token:
        full["x-amz-security-token"] = keys.token
    names = sorted(full)
    lines = [f"{name}:{full[name]}" for name in names]
    canonical = "\n".join([method, path, "", *lines, "", ";".join(names), UNSIGNED])
    text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.digest(_key(keys.secret_key, day, region), text.encode(), "sha256").hex()
    credential = f"Credential={keys.access_key}/{scope}"
    full["authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return full


@lru_cache(maxsize=4)
def _key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
