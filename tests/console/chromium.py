"""Chromium without a window, driven by its DevTools protocol over a pipe: no port, and no package for web sockets."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page. ``errors``: what the browser complained of: scripts, and what the page's policy forbids."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._number, self._rest = 0, b""
        self._answers: dict[int, dict[str, Any]] = {}
        self._session: str | None = None
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self.call(f"{part}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method. Raises AssertionError with the browser's message."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while number not in self._answers:
            heard = self._next()
            if "id" in heard:
                self._answers[heard["id"]] = heard
            else:
                self._hear(heard)  # which may call, and so read an answer that is waited for out here
        answer = self._answers.pop(number)
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while b"\0" not in self._rest:
            ready, _, _ = select([self._receive], [], [], max(0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            data = os.read(self._receive, 1 << 20)
            assert data, "the browser has ended"
            self._rest += data
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def _hear(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif message.get("method") == "Page.javascriptDialogOpening":
            self.call("Page.handleJavaScriptDialog", accept=True)

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def script(self, code: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 30) -> None:
        """Until an expression is true. Fails with the text of the page."""
        deadline = time.monotonic() + seconds
        while not self.script(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"{condition}\n{self.text}"
            time.sleep(0.1)

    def see(self, text: str, seconds: float = 30) -> None:
        self.wait(f"document.body.innerText.includes({json.dumps(text)})", seconds)

    @property
    def text(self) -> str:
        return str(self.script("document.body.innerText"))

    def look(self, width: int, scheme: str = "light", height: int = 900) -> None:
        """The width of the window in pixels, and which colours the person likes."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file: Path) -> None:
        """A PNG of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def tab() -> Iterator[Tab]:
    """A tab of a browser of its own, which ends with the block."""
    program = found()
    assert program
    to_browser, from_browser = os.pipe(), os.pipe()

    def pipes() -> None:
        """The browser reads from 3 and writes to 4."""
        ours = (os.dup(to_browser[0]), os.dup(from_browser[1]))
        for there, mine in zip((3, 4), ours, strict=True):
            os.dup2(mine, there)

    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
        browser = subprocess.Popen(
            [program, *options, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
            preexec_fn=pipes,
            close_fds=False,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            yield Tab(to_browser[1], from_browser[0])
        finally:
            os.close(to_browser[1])
            browser.terminate()
            try:
                browser.wait(10)
            finally:
                # Its children outlive it, and would write into the profile while it is deleted.
                with suppress(ProcessLookupError):
                    os.killpg(browser.pid, signal.SIGKILL)
                browser.wait()
            os.close(from_browser[0])
