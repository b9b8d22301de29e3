"""The checks of ``validate``, run once at a time in the background, and seen as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lakectl import saved_queries
from lakectl.errors import UsageError
from lakectl.ops.checks import validate
from lakectl.ops.checks.validate import Check
from lakectl.ops.console.read_only import only_reading
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Section, section


@dataclass(frozen=True)
class CheckState:
    """``done``: in the order of ``validate``. ``now``: what is waited for. ``result``: of a run that has ended."""

    begun: bool
    running: bool
    cancelled: bool
    done: Sequence[Check]
    now: str
    result: Section[int]


class CheckRun:
    """The last run of the checks. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: list[Check] = []
        self._asked: set[str] = set()
        self._now = ""
        self._thread: threading.Thread | None = None
        self._cancelled = False
        self._result: Section[int] = Section()

    def start(self, lake: Lake, read_only: bool) -> None:
        """Begin, unless a run is under way. Raises :class:`UsageError` for a saved query that would write."""
        if read_only:
            refuse_writing_queries(lake)
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._done, self._asked, self._now = [], set(), ""
            self._cancelled, self._result = False, Section()
            self._thread = threading.Thread(target=self._run, args=(lake,), name="checks", daemon=True)
            self._thread.start()

    def _run(self, lake: Lake) -> None:
        self._result = section(lambda: self._checked(lake))

    def _checked(self, lake: Lake) -> int:
        checks = validate.validate(lake, on_start=self._wait_for, asked=self._asked)
        for check in checks:
            if self._cancelled:
                checks.close()  # type: ignore[attr-defined]
                break
            self._done.append(check)
        return len(self._done)

    def _wait_for(self, title: str) -> None:
        self._now = title

    def cancel(self, lake: Lake) -> None:
        """End the run: what Athena still works on is stopped."""
        self._cancelled = True
        validate.stop(lake, self._asked)

    def state(self) -> CheckState:
        thread = self._thread
        running = thread is not None and thread.is_alive()
        return CheckState(thread is not None, running, self._cancelled, tuple(self._done), self._now, self._result)


def refuse_writing_queries(lake: Lake, allowed: Callable[[str], str] = only_reading) -> None:
    """Raise :class:`UsageError` for a saved query, or a SELECT of its parameters, that does more than read."""
    for saved in saved_queries.load(lake.project, lake.names):
        values = dict.fromkeys(saved.parameters, "0")
        finders = [
            text for text in (saved.given or {}).values() if saved_queries.first_word(text) in ("SELECT", "WITH")
        ]
        for text in (saved_queries.bind(saved.judged, values), *finders):
            try:
                allowed(text)
            except UsageError as error:
                raise UsageError(f"the saved query {saved.name}: {error.message}", error.hint) from error
