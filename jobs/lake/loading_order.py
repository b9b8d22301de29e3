"""In which order the sources of a run are loaded, and which of them beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from lakectl.spec.model import LakeSpec

_AT_ONCE = 4
T = TypeVar("T")


class Place:
    """A source's place in the loading order. ``is_alone``: no other table is written at the same time."""

    def __init__(self, source: str, *, is_alone: bool, earlier: tuple[Future[T], ...]) -> None:
        self.source = source
        self.is_alone = is_alone
        self._earlier = earlier
        self._readable = Event()

    def let_others_read(self) -> None:
        """The source's table has the values already that it will have: those that look it up may go on."""
        self._readable.set()

    def until_readable(self) -> None:
        self._readable.wait()

    def wait_to_write(self) -> None:
        """Until all sources that come earlier have been committed. Raises what went wrong there."""
        for each in self._earlier:
            each.result()


def in_order(spec: LakeSpec, names: list[str], bring_up: Callable[[Place], T]) -> dict[str, T]:
    """What ``bring_up`` returns for each source, in the order of ``names``.

    A source comes after those that it looks up; those that do not wait for each other come beside each other. It is
    compared with its table while theirs are still being committed, if their values stay as they are.
    """
    ended: dict[str, Future[T]] = {}

    def ends_readable(place: Place) -> T:
        try:
            return bring_up(place)
        finally:
            place.let_others_read()

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for level in _levels(spec, names):
            earlier = tuple(ended.values())
            places = [Place(name, is_alone=len(level) == 1, earlier=earlier) for name in level]
            ended.update({place.source: pool.submit(ends_readable, place) for place in places})
            for place in places:
                place.until_readable()
            for each in ended.values():
                if each.done():
                    each.result()
        return {name: ended[name].result() for name in names}


def _levels(spec: LakeSpec, names: list[str]) -> Iterator[list[str]]:
    """Sources that don't look each other up, after all that they look up."""
    waiting = {name: {lookup.source for lookup in spec.sources[name].lookups} & set(names) for name in names}
    while waiting:
        ready = [name for name in names if name in waiting and not waiting[name]]
        yield ready
        waiting = {name: others - set(ready) for name, others in waiting.items() if name not in ready}
