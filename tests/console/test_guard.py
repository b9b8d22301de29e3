"""Who may ask the console: the browser that opened the link, from the console's own pages, under its own name."""

from __future__ import annotations

import re

import pytest
from console_client import FROM_HERE, HOST, ORIGIN, PORT, browser, console_of, lake_of, nothing, with_cookie
from flask.testing import FlaskClient

from lakectl.console.guard import HEADERS, Guard

APP, GUARD = console_of(lake_of(nothing), allow_writes=True)
ROUTES = [
    (method, re.sub(r"<[^>]+>", "x", rule.rule))
    for rule in APP.url_map.iter_rules()
    for method in sorted((rule.methods or set()) | {"POST", "PUT", "DELETE"})
]


@pytest.fixture
def client() -> FlaskClient:
    return browser(APP, GUARD)


def test_there_are_routes_to_try() -> None:
    assert len({path for _, path in ROUTES}) > 20


@pytest.mark.parametrize(("method", "path"), [*ROUTES, ("GET", "/nowhere"), ("GET", "/static/../app.py")])
def test_without_the_cookie_every_answer_is_403(method: str, path: str) -> None:
    for cookie in ("", "wrong", "é", GUARD.session[:-1], f"{GUARD.session}x"):
        client = APP.test_client()
        if cookie:
            client.set_cookie(GUARD.cookie, cookie, domain="127.0.0.1")
        assert client.open(path, method=method, base_url=ORIGIN, headers=FROM_HERE).status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        f"127.0.0.1:{PORT + 1}",
        f"evil.example:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        f"[::1]:{PORT}",
        f"localhost.evil.example:{PORT}",
        f"127.0.0.1:{PORT}@evil.example",
        f"LOCALHOST:{PORT}",
        "a b",
    ],
)
@pytest.mark.parametrize("path", ["/", "/query", "/static/console.js", "/nowhere"])
def test_another_host_is_refused_whoever_asks(host: str, path: str) -> None:
    """A name that an attacker points at 127.0.0.1: their page would be one of ours."""
    assert with_cookie(APP, GUARD, path, {"Host": host}) == 403


def test_forwarded_headers_do_not_stand_in_for_the_host() -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": HOST, "Forwarded": f"host={HOST}"}
    assert with_cookie(APP, GUARD, "/query", headers) == 403


def test_localhost_is_this_machine_too() -> None:
    for host in (HOST, f"localhost:{PORT}"):
        assert with_cookie(APP, GUARD, "/static/console.js", {"Host": host}) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": f"http://127.0.0.1:{PORT + 1}"},
        {"Origin": f"https://{HOST}"},
        {"Origin": f"http://localhost:{PORT}"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/query", "/query/x/cancel", "/runs/start", "/checks", "/checks/cancel"])
def test_what_another_page_sends_is_refused(client: FlaskClient, headers: dict[str, str], path: str) -> None:
    assert client.post(path, base_url=ORIGIN, headers=headers, data={"sql": "SELECT 1"}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_embeds_or_links_to_is_refused(client: FlaskClient, site: str) -> None:
    """Cookies know no ports: a page of another port of this machine would send ours along."""
    assert client.get("/query", base_url=ORIGIN, headers={"Sec-Fetch-Site": site}).status_code == 403


def test_a_link_is_good_once_and_becomes_a_cookie() -> None:
    told: list[str] = []
    app, guard = console_of(lake_of(nothing))
    guard.on_opened = told.append
    link = guard.link
    assert link.startswith(f"{ORIGIN}/open?key=")
    first = app.test_client().get(link.removeprefix(ORIGIN), base_url=ORIGIN)
    assert (first.status_code, first.headers["Location"]) == (303, "/")
    cookie = first.headers["Set-Cookie"]
    assert cookie == f"lakectl_console_{PORT}={guard.session}; HttpOnly; Path=/; SameSite=Strict"
    again = app.test_client().get(link.removeprefix(ORIGIN), base_url=ORIGIN)
    assert again.status_code == 403
    assert "good once" in again.text
    assert told == [guard.link] != [link]
    assert app.test_client().get(guard.link.removeprefix(ORIGIN), base_url=ORIGIN).status_code == 303


def test_the_browser_that_is_in_uses_up_no_link(client: FlaskClient) -> None:
    """Two tabs; and a link that is opened again from the terminal."""
    before = GUARD.link
    answer = client.get("/open?key=anything", base_url=ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert before == GUARD.link


@pytest.mark.parametrize("key", ["", "x", "é", pytest.param(GUARD.session, id="the session")])
def test_another_key_opens_nothing(key: str) -> None:
    answer = APP.test_client().get("/open", query_string={"key": key}, base_url=ORIGIN)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_secrets_are_long_and_differ() -> None:
    one, other = Guard(1), Guard(1)
    secrets = {one.session, other.session, one.link.partition("=")[2], other.link.partition("=")[2]}
    assert len(secrets) == 4
    assert min(map(len, secrets)) >= 43  # 32 bytes
    assert one.session not in repr(one)


@pytest.mark.parametrize("path", ["/query", "/nowhere", "/overview/now", "/static/lake.css", "/open?key=x"])
def test_every_answer_forbids_frames_scripts_of_others_and_copies(client: FlaskClient, path: str) -> None:
    for asked in (client, APP.test_client()):
        answer = asked.get(path, base_url=ORIGIN)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy


def test_methods_that_a_page_does_not_have_are_refused(client: FlaskClient) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        assert client.open("/query", method=method, base_url=ORIGIN, headers=FROM_HERE).status_code == 405
    assert client.options("/query", base_url=ORIGIN).status_code == 403
