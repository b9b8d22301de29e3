"""A small threaded WSGI server with HTTP/1.1 keep-alive on the loopback interface.

werkzeug's own handler closes each connection and waits 10 ms to drain it; an AWS client makes thousands of
calls, so that wait would be most of their time.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from lakectl.local.http_body import BadBody, Dechunked, Sized, Stream
from lakectl.local.iam.calls import CALL, Call

log = logging.getLogger(__name__)

MAX_DRAIN_BYTES = 1 << 20
IDLE_SECONDS = 120
MAX_KNOWN_HOSTS = 1000  # names come from requests
# This machine, and the virtual hosts of buckets. A name of the Internet could be made to resolve to 127.0.0.1.
HOST = re.compile(r"(127\.0\.0\.1|\[::1\]|(?:[a-z0-9][a-z0-9.-]*\.)?localhost)(:\d{1,5})?", re.IGNORECASE)
ORIGIN = re.compile(r"https?://(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?")
LENGTH = re.compile(r"\d{1,15}")
# What a browser makes of an object's bytes is kept away from this origin: no scripts, no forms, no guessing of types.
SANDBOX = (("Content-Security-Policy", "sandbox; default-src 'none'"), ("X-Content-Type-Options", "nosniff"))


class Dispatcher(DomainDispatcherApplication):
    """moto's choice of a service for a request, remembered: it tries 300 patterns, which costs 1-2 ms each time."""

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)
        self._known_backends: dict[str | None, Any] = {None: None}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._known_backends:
            if len(self._known_backends) > MAX_KNOWN_HOSTS:
                self._known_backends = {None: None}
            self._known_backends[host] = super().get_backend_for_host(host)
        return self._known_backends[host]

    def get_application(self, environ: dict[str, Any]) -> Any:
        """moto's application of the service that the request was signed for: no path opens another one."""
        call: Call = environ[CALL]
        path = "/" if call.address is not None else environ["PATH_INFO"]
        backend = self.get_backend_for_host(self.infer_service_region_host(environ, path))
        if backend is None:
            raise NotImplementedError(f"the local endpoint has no service {call.service}")
        with self.lock:
            if backend not in self.app_instances:
                self.app_instances[backend] = self.create_app(backend)
            return self.app_instances[backend]

    def warm(self, services: Iterable[str]) -> None:
        """Load services before somebody asks for them."""
        for service in services:
            with self.lock:
                if service not in self.app_instances:
                    self.app_instances[service] = self.create_app(service)


class LocalServer(ThreadedWSGIServer):
    request_queue_size = 1024


class KeepAliveHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Nagle and delayed acknowledgement cost 40 ms for each answer
    timeout = IDLE_SECONDS
    wbufsize = 64 * 1024  # head and body leave in one packet; handle_one_request flushes

    def handle_expect_100(self) -> bool:
        proceed = super().handle_expect_100()
        self.wfile.flush()  # the client waits for it
        return proceed

    def run_wsgi(self) -> None:
        if not self._is_from_this_machine():
            self._say(403, "this endpoint answers requests from this machine only")
            return
        wrong = self._framing()
        if wrong:
            self._say(400, wrong)
            return
        self.environ = environ = self.make_environ()
        environ["wsgi.input"] = body = self._body()
        answer = _Answer(self)
        try:
            answer.send(self.server.app(environ, answer.start))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            return
        except BadBody as error:
            self._say(400, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the caller's HTTP 5xx
            self._fail(error, answer.started)
        finally:
            body.close()
        self._drain(body)
        self.environ = {}  # it holds the request's whole body, and this connection may idle for minutes

    def _is_from_this_machine(self) -> bool:
        """A page in a browser must not reach the sandbox: neither by rebound DNS nor by a cross-site call."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
            return False
        origin = self.headers.get("Origin")
        return origin is None or ORIGIN.fullmatch(origin) is not None

    def _framing(self) -> str:
        """What is wrong with the head of the request (RFC 9112, section 6.3); empty when it is sound."""
        lengths = self.headers.get_all("Content-Length") or []
        encodings = self.headers.get_all("Transfer-Encoding") or []
        if not self.path.startswith("/") or "#" in self.path or not self.path.isascii():
            return "the target of the request is no path"
        if len(lengths) > 1 or (lengths and not LENGTH.fullmatch(lengths[0])):
            return "Content-Length is no single number"
        if encodings and (lengths or [each.strip().lower() for each in encodings] != ["chunked"]):
            return "Transfer-Encoding is not chunked alone"
        return ""

    def _body(self) -> Stream:
        if self.headers.get("Transfer-Encoding"):
            return Dechunked(self.rfile)
        return Sized(self.rfile, int(self.headers.get("Content-Length") or 0))

    def _say(self, status: int, message: str) -> None:
        """Answer without the application, and close the connection: what follows on it may be no request."""
        self.close_connection = True
        self.send_error(status, message)

    def _fail(self, error: Exception, started: bool) -> None:
        log.exception("%s %s failed", self.command, self.path)
        self.close_connection = True
        if not started:
            # 501 is not retried by AWS clients, as 500 is.
            status = 501 if isinstance(error, NotImplementedError) else 500
            text = f"{type(error).__name__}: {error}".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(text)

    def _drain(self, body: Any) -> None:
        """Read what the application left unread, or the next request would begin in the middle of this one."""
        try:
            if not self.close_connection and len(body.read(MAX_DRAIN_BYTES)) == MAX_DRAIN_BYTES:
                self.close_connection = True
        except (OSError, BadBody):
            self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - inherited
        log.debug("%s %s %s", self.command, self.path, code)


class _Answer:
    """One WSGI response on the wire."""

    def __init__(self, handler: KeepAliveHandler) -> None:
        self.handler = handler
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.started = False
        self.chunked = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info and self.started:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status, self.headers = status, headers
        return self._write

    def send(self, parts: Iterable[bytes]) -> None:
        try:
            for part in parts:
                self._write(part)
            if not self.started:
                self._write(b"")
            if self.chunked:
                self.handler.wfile.write(b"0\r\n\r\n")
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _write(self, data: bytes) -> None:
        handler = self.handler
        code = int(self.status.split(None, 1)[0])
        bodyless = handler.command == "HEAD" or code < 200 or code in (204, 304)
        if not self.started:
            self.started = True
            self._write_head(code, bodyless)
        if data and not bodyless:
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _write_head(self, code: int, bodyless: bool) -> None:
        handler = self.handler
        handler.send_response(code)
        for name, value in SANDBOX:
            handler.send_header(name, value)
        names = set()
        for name, value in self.headers:
            names.add(name.lower())
            if not (code == 204 and name.lower() == "content-length"):
                handler.send_header(name, value)
        if "content-length" not in names and not bodyless:
            if handler.request_version >= "HTTP/1.1":
                self.chunked = True
                handler.send_header("Transfer-Encoding", "chunked")
            else:
                handler.close_connection = True
        if handler.close_connection:
            handler.send_header("Connection", "close")
        handler.end_headers()
