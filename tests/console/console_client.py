"""A console on a lake whose AWS is a fake, and the browser that has opened its link."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from lakectl import project
from lakectl.aws import Aws
from lakectl.config import Config
from lakectl.console.app import Console, create
from lakectl.console.guard import Guard
from lakectl.console.opened import OpenedLake
from lakectl.ops.lake import Lake

PORT = 4600
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"
FROM_HERE = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
EVIL = "<script>alert(1)</script>\"'&\u202e\x07"


def lake_of(services: Callable[[str], Any], account: str = "123456789012") -> Lake:
    """The tutorial's lake; ``services`` gives the client of a service."""
    session = SimpleNamespace(client=lambda service, **_: services(service))
    aws = Aws(session, "eu-west-1", account=account, where="this machine", billed=False)
    return Lake(Config(), project.find(), aws)


def nothing(service: str) -> Any:
    raise AssertionError(f"{service} was asked")


def broken(error: Exception) -> Callable[[str], Any]:
    """Services that fail."""

    def client(_: str) -> Any:
        raise error

    return client


def console_of(lake: Lake, *, allow_writes: bool = False, **about: Any) -> tuple[Flask, Guard]:
    """The application and its guard."""
    shared = Console(OpenedLake(lake, lambda: lake, lambda: True), allow_writes, **about)
    guard = Guard(PORT)
    app = create(shared, guard)
    app.testing = False  # as it is for people: a fault is an answer
    return app, guard


def with_cookie(app: Flask, guard: Guard, path: str, headers: dict[str, str]) -> int:
    """The status of a GET that has the cookie, with just these headers."""
    cookie = {"Cookie": f"{guard.cookie}={guard.session}"}
    return app.test_client(use_cookies=False).get(path, headers=cookie | headers).status_code


def browser(app: Flask, guard: Guard) -> FlaskClient:
    """One that has opened the link."""
    client = app.test_client()
    assert client.get(guard.link.removeprefix(ORIGIN), base_url=ORIGIN).status_code == 303
    return client
