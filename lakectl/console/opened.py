"""The lake behind the pages, which outlives its credentials and its endpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import CREDENTIAL_CODES, code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Section

T = TypeVar("T")
# A page asks again by itself, so a call is tried three times, not eight: what is wrong is said within some seconds.
ATTEMPTS = 3
# Opening a session and its clients takes most of a second; no more often than this while AWS does not answer.
PAUSE_S = 3.0


class OpenedLake:
    """The lake, opened again when AWS no longer knows its credentials or does not answer. For any thread.

    ``again`` opens it from the settings of the shell and of ``~/.aws`` as they are then. ``may_open`` tells whether
    that would start nothing: an endpoint that somebody has stopped is not started by a page that asks by itself.
    """

    def __init__(self, lake: Lake, again: Callable[[], Lake], may_open: Callable[[], bool]) -> None:
        self._lake = _impatient(lake)
        self._account = lake.aws.account
        self._again = again
        self._may_open = may_open
        self._lock = threading.Lock()
        self._tried = float("-inf")

    @property
    def lake(self) -> Lake:
        """As it was last opened."""
        return self._lake

    def read(self, work: Callable[[Lake], T]) -> Section[T]:
        """What ``work`` gives, or why it can't. It is tried once more on a lake that was opened again."""
        return self._tried_with(work, again=True)

    def write(self, work: Callable[[Lake], T]) -> Section[T]:
        """The same for what must not be done twice: the lake is opened again for the next time only."""
        return self._tried_with(work, again=False)

    def _tried_with(self, work: Callable[[Lake], T], *, again: bool) -> Section[T]:
        lake = self._lake
        try:
            return Section(work(lake))
        except (LakectlError, ClientError, BotoCoreError) as error:
            failed = error
        try:
            if _is_lost(failed) and self._open_again(lake) and again:
                return Section(work(self._lake))
        except (LakectlError, ClientError, BotoCoreError) as error:
            failed = error
        return _problem(failed)

    def _open_again(self, lost: Lake) -> bool:
        """Whether there is another lake than ``lost`` now. Raises :class:`LakectlError` when it can't be opened."""
        with self._lock:
            if self._lake is not lost:
                return True
            if time.monotonic() - self._tried < PAUSE_S or not self._may_open():
                return False
            self._tried = time.monotonic()
            found = _impatient(self._again())
            if found.aws.account != self._account:
                raise LakectlError(
                    f"the credentials are of account {found.aws.account} now, and this console shows {self._account}",
                    "start another console: lakectl console --port 0",
                )
            self._lake = found
            return True


def _impatient(lake: Lake) -> Lake:
    lake.aws.attempts = ATTEMPTS  # of the clients that are made from here on
    return lake


def _problem(error: Exception) -> Section[T]:
    told = error if isinstance(error, LakectlError) else explain(error)
    return Section(problem=told.message, hint=told.hint or "")


def _is_lost(error: BaseException | None) -> bool:
    """Whether it stands for credentials that are no longer good, or for an endpoint that does not answer."""
    while error is not None:
        if isinstance(error, BotoCoreError) or (isinstance(error, ClientError) and code_of(error) in CREDENTIAL_CODES):
            return True
        error = error.__cause__
    return False
