"""Sending what is in the dead-letter queue again. A function that has handled an event before does nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from lakectl.ops.events.dead_letters import DeadLetter, DeadLetterQueue, opened
from lakectl.ops.events.invoking import invoke
from lakectl.ops.lake import Lake

THREADS = 8


@dataclass(frozen=True)
class Replayed:
    """What became of one message. ``kept`` ones are in the queue still, for ``reason``."""

    letter: DeadLetter
    outcome: Literal["replayed", "discarded", "kept"]
    reason: str = ""


def replay(
    lake: Lake, observer: Callable[[Replayed], None] = lambda _: None, discard: Collection[str] = ()
) -> list[Replayed]:
    """Give every queued event to its function; delete a message only after the function has accepted it.

    Messages whose id is in ``discard`` are deleted unsent. Dying half-way loses nothing: what we hold is
    visible again after two minutes. Raises :class:`LakectlError` when AWS rejects a request.
    """
    done: list[Replayed] = []
    with opened(lake) as queue, ThreadPoolExecutor(THREADS) as pool:
        messages = queue.messages()
        try:
            while letters := list(islice(messages, THREADS)):
                for replayed in pool.map(lambda letter: _one(lake, queue, letter, discard), letters):
                    done.append(replayed)
                    observer(replayed)
        finally:
            queue.give_back([each.letter for each in done if each.outcome == "kept"])
    return done


def _one(lake: Lake, queue: DeadLetterQueue, letter: DeadLetter, discard: Collection[str]) -> Replayed:
    if letter.id in discard:
        queue.delete(letter)
        return Replayed(letter, "discarded")
    if letter.function not in (lake.names.log_function, lake.names.start_function):
        return Replayed(letter, "kept", f"it is for {letter.function or 'no function'}, which is not of this lake")
    refused = invoke(lake, letter.function, letter.event)
    if refused:
        return Replayed(letter, "kept", refused)
    queue.delete(letter)
    return Replayed(letter, "replayed")
