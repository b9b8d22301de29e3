"""A loopback HTTP proxy in front of the local endpoint: it counts calls, and does to one what a test asks for.

Between boto3 (or a real ``lakectl`` process) and the endpoint, where microburst can't be used: killing the
client at its n-th write, before or after the write was applied, and counting requests.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lakectl.local.control import Endpoint

# The prefix of an operation that only reads (AWS's own verbs).
READS = ("Get", "List", "Describe", "BatchGet")
FRAMING = ("content-length", "transfer-encoding", "connection")
HOP_BY_HOP = ("expect", "transfer-encoding")
TIMEOUT_S = 120
SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
NOT_SIGNED = ("authorization", "host", "x-amz-date", "x-amz-content-sha256", "accept-encoding", "connection")


def signed_again(endpoint: Endpoint, method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    """The headers of a request with a new signature, for the same service and region."""
    names = {name.lower(): name for name in headers}
    region, service = SCOPE.search(headers[names["authorization"]]).groups()  # type: ignore[union-attr]
    plain = {name: value for name, value in headers.items() if name.lower() not in NOT_SIGNED}
    request = AWSRequest(method, f"{endpoint.url}{target}", headers=plain, data=body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(endpoint.access_key_id, endpoint.secret_access_key), service, region).add_auth(request)
    return dict(request.headers.items())


@dataclass(frozen=True)
class Call:
    """One request: its service (``s3``), operation (``CreateBucket``; REST: ``PUT /path?query``) and number."""

    number: int
    service: str
    operation: str
    path: str
    body: bytes
    writes: bool
    write_number: int  # counts writes from 1; 0 for a read
    tag: str  # what the client put into the header X-Test-Operation


@dataclass
class Answer:
    """What a test sends instead of the endpoint's answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def refused(call: Call, code: str, message: str, status: int = 400) -> Answer:
    """An error as the service of ``call`` words it: JSON, or XML for S3 and IAM."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    body = json.dumps({"__type": code, "message": message})
    if call.service in ("s3", "iam"):
        headers = {"Content-Type": "text/xml"}
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if call.service == "iam":
        body = f"<ErrorResponse>{body}<RequestId>r</RequestId></ErrorResponse>"
    return Answer(status, body.encode(), headers)


# Gets the call before it is forwarded; an Answer replaces the endpoint's, bytes replace the body that is forwarded.
Before = Callable[[Call], Answer | bytes | None]
# Gets the call when the endpoint has applied it; True loses the answer: the connection is cut.
After = Callable[[Call], bool]
# Gets the call and the body of the endpoint's answer; what it returns is sent instead.
Rewrite = Callable[[Call, bytes], bytes]


class Proxy:
    """``url`` stands in for ``upstream``'s; writes go to ``writes_to`` when it is given.

    With ``signs_for`` each request is signed again, with the keys of that endpoint. ``before``, ``after`` and
    ``rewrite`` may be set at any time.
    """

    def __init__(self, upstream: str, writes_to: str | None = None, signs_for: Endpoint | None = None) -> None:
        self.signs_for = signs_for
        self.upstream = urlsplit(upstream).netloc
        self.writes_to = urlsplit(writes_to or upstream).netloc
        self.calls: list[Call] = []
        self.before: Before = lambda _: None
        self.after: After = lambda _: False
        self.rewrite: Rewrite = lambda _, body: body
        self._lock = threading.Lock()
        self._in_flight = 0
        self._idle = threading.Condition(self._lock)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.writes]

    def forget(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self.calls.clear()

    def wait_until_idle(self) -> None:
        """Until the endpoint has answered what a killed client left in flight."""
        with self._lock:
            assert self._idle.wait_for(lambda: self._in_flight == 0, TIMEOUT_S), "calls still in flight"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def record(self, method: str, target: str, headers: Any, body: bytes) -> Call:
        service, operation, writes = name_of(method, target, headers, body)
        tag = headers.get("X-Test-Operation", "")
        with self._lock:
            before = sum(call.writes for call in self.calls) if writes else 0
            call = Call(len(self.calls) + 1, service, operation, target, body, writes, before + 1 if writes else 0, tag)
            self.calls.append(call)
            return call

    @contextmanager
    def in_flight(self) -> Any:
        with self._lock:
            self._in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1
                self._idle.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                self.reads = http.client.HTTPConnection(proxy.upstream, timeout=TIMEOUT_S)
                self.writes = http.client.HTTPConnection(proxy.writes_to, timeout=TIMEOUT_S)

            def finish(self) -> None:
                self.reads.close()
                self.writes.close()
                super().finish()

            def relay(self) -> None:
                with proxy.in_flight():
                    body = self.body()
                    if body is None:  # the client was killed while it sent
                        self.close_connection = True
                        return
                    call = proxy.record(self.command, self.path, self.headers, body)
                    answer = proxy.before(call)
                    if isinstance(answer, bytes):
                        body = answer
                    elif answer is not None:
                        self.reply(answer.status, list(answer.headers.items()), answer.body)
                        return
                    headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                    if proxy.signs_for is not None:
                        headers = signed_again(proxy.signs_for, self.command, self.path, headers, body)
                    upstream = self.writes if call.writes else self.reads
                    try:
                        upstream.request(self.command, self.path, body, headers)
                        response = upstream.getresponse()
                        content = response.read()
                    except (ConnectionError, http.client.HTTPException):
                        upstream.close()
                        self.close_connection = True  # hand the reset on
                        return
                    if proxy.after(call):
                        self.close_connection = True
                        return
                    self.reply(response.status, response.getheaders(), proxy.rewrite(call, content))

            def body(self) -> bytes | None:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    pieces = []
                    while size := int(self.rfile.readline().strip() or b"0", 16):
                        pieces.append(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                    return b"".join(pieces)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                return body if len(body) == length else None

            def reply(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
                self.send_response_only(status)
                has_length = self.command == "HEAD" or status in (204, 304)
                for name, value in headers:
                    dropped = ("transfer-encoding", "connection") if has_length else FRAMING
                    if name.lower() not in dropped:
                        self.send_header(name, value)
                if not has_length:
                    self.send_header("Content-Length", str(len(content)))
                try:
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the client was killed

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionResetError:
                    self.close_connection = True

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = relay

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def name_of(method: str, target: str, headers: Any, body: bytes) -> tuple[str, str, bool]:
    """Service, operation, and whether it writes. REST operations are named by method and path."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("Authorization", ""))
    service = scope.group(1) if scope else "?"
    amz_target = headers.get("X-Amz-Target")
    if amz_target:
        operation = amz_target.rpartition(".")[2]
    elif b"Action=" in body[:4096] and headers.get("Content-Type", "").startswith("application/x-www-form"):
        operation = parse_qs(body.decode())["Action"][0]
    else:
        operation = f"{method} {target}"
        return service, operation, method not in ("GET", "HEAD")
    return service, operation, not operation.startswith(READS)


def json_error(code: str, message: str, status: int = 400) -> Answer:
    """An error as the JSON protocols word it (SQS, DynamoDB, Glue ...)."""
    body = json.dumps({"__type": f"com.amazonaws#{code}", "message": message}).encode()
    return Answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})


def xml_error(code: str, message: str, status: int) -> Answer:
    """An error as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Answer(status, body, {"Content-Type": "application/xml"})
