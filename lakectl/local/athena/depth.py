"""Deeply nested statements: a stack of their own, so that 200 parentheses are no more than Athena takes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

FRAMES = 20_000  # about 20 for a pair of parentheses
STACK_BYTES = 256 << 20  # of address space; what is not used takes no memory
_starting = threading.Lock()
T = TypeVar("T")


def deep(work: Callable[[], T]) -> T:
    """What ``work`` gives or raises, out of a thread with a large stack. Raises RecursionError beyond that."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    with _starting:  # both are settings of the whole process
        sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES))
        before = threading.stack_size(STACK_BYTES)
        try:
            thread = threading.Thread(target=run, name="statement")
            thread.start()
        finally:
            threading.stack_size(before)
    thread.join()
    if failed:
        raise failed[0]
    return done[0]
