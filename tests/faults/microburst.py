"""microburst (PyPI): a fault-injecting proxy that words errors as each AWS protocol does.

Lives in an environment of its own, `.venv-microburst`, made by `make`: it is no dependency of anything here.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".venv-microburst/bin/microburst"
START_LIMIT_S = 30


class Microburst:
    """A running microburst in front of ``upstream``; ``url`` stands in for it."""

    def __init__(self, upstream: str) -> None:
        if not PROGRAM.exists():
            pytest.fail(f"{PROGRAM.relative_to(ROOT)} is missing; `make test` and `make test-long` make it")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [str(PROGRAM), "--upstream", upstream, "--host", "127.0.0.1", "--port", str(port), "--no-resign"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                self._call("GET", "health")
                return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.close()
                    raise
                time.sleep(0.05)

    def rules(self, rules: list[dict[str, Any]]) -> None:
        """Replace all rules, and forget what has fired."""
        self._call("POST", "rules", rules)
        self._rules = {rule["id"]: rule for rule in self._call("GET", "rules")}
        self._call("DELETE", "fired")

    def fired(self, header: str) -> list[str]:
        """What the rules that have fired ask of ``header``, in order."""
        return [self._rules[event["rule_id"]]["headers"][header] for event in self._call("GET", "fired")]

    def close(self) -> None:
        self._process.kill()  # asked to end, it waits for connections that are open
        self._process.wait()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - always http on the loopback
            f"{self.url}/_microburst/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            content = answer.read()
        return json.loads(content) if content else None
