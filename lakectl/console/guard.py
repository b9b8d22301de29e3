"""Who may ask: the browser that opened the link which the terminal showed, and no page of anybody else.

Whoever can reach the port could read the lake and run SQL with the credentials of the person who started the console:
other users of the machine, and any web page that is open in a browser here. So:

* the server listens on 127.0.0.1 only;
* a link holds a key that is good once: it becomes a cookie and leaves the address bar. A browser is started with the
  link on its command line, which others on the machine may see, so it must be worth nothing a moment later;
* the cookie is `HttpOnly` and `SameSite=Strict`; without it every answer is 403, also for what is not there;
* `Host` is 127.0.0.1 or localhost with our port, else a name that an attacker points at 127.0.0.1 would make their page
  one of ours (DNS rebinding);
* what is not GET must come from our own pages: `Origin` must be there and be ours. Cookies know no ports, so a page of
  another port of this machine would send ours along; `Sec-Fetch-Site` keeps those out of GETs, too.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, Request, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

OPEN = "/open"
SAFE = frozenset(("GET", "HEAD"))
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CLOSED = "This page belongs to the browser that opened the link which `lakectl console` printed. Open that link.\n"
USED = "This link was used already, and each is good once. `lakectl console` has printed a new one: open that.\n"


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass
class Guard:
    """``port``: ours. ``on_opened`` hears the next link whenever one has been used. For any thread."""

    port: int
    on_opened: Callable[[str], None] = lambda _: None
    session: str = field(default_factory=_secret, repr=False)
    _key: str = field(default_factory=_secret, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def link(self) -> str:
        """The link to open, good once."""
        return f"http://127.0.0.1:{self.port}{OPEN}?key={self._key}"

    @property
    def cookie(self) -> str:
        """Cookies are shared by all ports of a host, so that of another console must have another name."""
        return f"lakectl_console_{self.port}"

    def protect(self, app: Flask) -> None:
        """Put the guard before every request of ``app``, and its headers on every answer."""
        app.before_request(self._judge)
        app.after_request(_with_headers)

    def _judge(self) -> AnyResponse | None:
        """An answer for a request that goes no further."""
        refused = self._refused(request)
        if refused:
            return _forbidden(refused)
        known = same(request.cookies.get(self.cookie, ""), self.session)
        if request.path == OPEN and request.method == "GET":
            if known:
                return redirect("/", 303)
            return self._opened() if self._use(request.args.get("key", "")) else _forbidden(USED)
        return None if known else _forbidden(CLOSED)

    def _refused(self, asked: Request) -> str:
        """Why the request is refused whoever asks, or an empty string."""
        # Not request.host, which is made up of other headers where Host is missing.
        host = asked.environ.get("HTTP_HOST", "")
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return f"The host of this page is 127.0.0.1:{self.port}.\n"
        site = asked.headers.get("Sec-Fetch-Site", "none")
        if asked.method not in SAFE:
            if asked.headers.get("Origin") != f"http://{host}" or site not in ("none", "same-origin"):
                return "Another page has sent this.\n"
        elif asked.path != OPEN and site not in ("none", "same-origin"):
            return "Another page has asked for this. Open the address yourself.\n"
        return ""

    def _use(self, key: str) -> bool:
        """Whether ``key`` is the good one; from then on another is."""
        with self._lock:
            if not same(key, self._key):
                return False
            self._key = _secret()
        self.on_opened(self.link)
        return True

    def _opened(self) -> AnyResponse:
        answer = redirect("/", 303)
        answer.set_cookie(self.cookie, self.session, httponly=True, samesite="Strict", path="/")
        return answer


def same(given: str, secret: str) -> bool:
    """Whether two texts are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), secret.encode())


def _forbidden(why: str) -> Response:
    return Response(why, 403, mimetype="text/plain")


def _with_headers(answer: Response) -> Response:
    answer.headers.update(HEADERS)
    return answer
