"""Requests to the local endpoint that no AWS client would send: signed by botocore, then sent as they are."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lakectl.local.control import Endpoint

REGION = "eu-west-1"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Sender:
    """Signs with these keys; ``send`` returns the answer."""

    endpoint: Endpoint
    keys: Credentials

    def send(
        self,
        service: str,
        method: str = "POST",
        target: str = "/",
        body: bytes = b"",
        *,
        change: Callable[[dict[str, str]], None] = lambda _: None,
        **headers: str,
    ) -> Answer:
        """``headers`` are signed, with ``_`` for ``-``; ``change`` may spoil them afterwards."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = self.signed(service, method, target, body, named)
        change(signed)
        return send(self.endpoint, method, target, body, signed)

    def signed(
        self, service: str, method: str, target: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        headers = {"host": urlsplit(self.endpoint.url).netloc, **(headers or {})}
        request = AWSRequest(method, f"http://{headers['host']}{target}", headers=headers, data=body)
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        kind(self.keys, service, REGION).add_auth(request)
        return dict(request.headers.items())


def own(endpoint: Endpoint) -> Sender:
    return Sender(endpoint, Credentials(endpoint.access_key_id, endpoint.secret_access_key))


def with_secret(sender: Sender, secret: str) -> Sender:
    return replace(sender, keys=Credentials(sender.keys.access_key, secret, sender.keys.token))


def send(endpoint: Endpoint, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """``headers`` as they are: a ``host`` among them is the only one."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if "content-length" not in {name.lower() for name in headers} and "transfer-encoding" not in {
            name.lower() for name in headers
        }:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer: Any = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode("latin-1"))
    finally:
        connection.close()
