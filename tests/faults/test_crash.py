"""kill -9 of a real `lakectl up` or `down` at its n-th write, before or after AWS has applied it."""

from __future__ import annotations

import random
from typing import Literal

import pytest
from fault_lakes import Subject, finish
from recording_proxy import Answer, Call, Proxy

When = Literal["before", "after"]
SEED = 3
# How many writes `up` and `down` of this lake make; tests at the end of the sweep hold these figures.
UP_WRITES, DOWN_WRITES = 83, 62
POINTS: list[tuple[int, When]] = [(n, when) for n in range(1, UP_WRITES + 1) for when in ("before", "after")]
DOWN_POINTS = [(n, when) for n, when in POINTS if n <= DOWN_WRITES]
UNAVAILABLE = Answer(503, b"")


def kill_at(subject: Subject, proxy: Proxy, point: tuple[int, When], *arguments: str) -> int | None:
    """Run ``lakectl <arguments>`` and kill it at ``point``; the number of the write, None if it never came so far."""
    number, when = point
    process = subject.start(proxy.url, *arguments)

    def before(call: Call) -> Answer | None:
        if when == "before" and call.write_number == number:
            process.kill()
        if process.poll() is not None or (when == "before" and call.write_number >= number):
            return UNAVAILABLE  # a dead process sends nothing more
        return None

    def after(call: Call) -> bool:
        if when == "after" and call.write_number == number:
            process.kill()
        return False

    proxy.before, proxy.after = before, after
    ended = finish(process)
    proxy.wait_until_idle()
    if ended.returncode == -9:
        return number
    assert ended.returncode == 0, ended.stdout
    return None


def check_up(subject: Subject, proxy: Proxy, point: tuple[int, When]) -> None:
    kill_at(subject, proxy, point, "up")
    subject.assert_converges_up()


def check_down(subject: Subject, proxy: Proxy, point: tuple[int, When]) -> None:
    kill_at(subject, proxy, point, "down", "--yes")
    subject.assert_converges_down()


@pytest.mark.parametrize("point", random.Random(SEED).sample(POINTS, 1))
def test_up_killed_at_some_writes_is_finished_by_up_again(
    subject: Subject, proxy: Proxy, point: tuple[int, When]
) -> None:
    check_up(subject, proxy, point)


@pytest.mark.parametrize("point", random.Random(SEED).sample(DOWN_POINTS, 1))
def test_down_killed_at_some_writes_is_finished_by_down_again(
    up_subject: Subject, proxy: Proxy, point: tuple[int, When]
) -> None:
    check_down(up_subject, proxy, point)


@pytest.mark.long
def test_down_finishes_what_a_killed_up_has_begun_and_up_what_a_killed_down_has(subject: Subject, proxy: Proxy) -> None:
    assert kill_at(subject, proxy, (30, "after"), "up") == 30
    subject.assert_converges_down()
    subject.assert_converges_up()
    proxy.forget()
    assert kill_at(subject, proxy, (25, "before"), "down", "--yes") == 25
    subject.assert_converges_up()


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p[1]}-{p[0]}")
def test_up_killed_at_every_write(subject: Subject, proxy: Proxy, point: tuple[int, When]) -> None:
    check_up(subject, proxy, point)


@pytest.mark.long
@pytest.mark.parametrize("point", DOWN_POINTS, ids=lambda p: f"{p[1]}-{p[0]}")
def test_down_killed_at_every_write(up_subject: Subject, proxy: Proxy, point: tuple[int, When]) -> None:
    check_down(up_subject, proxy, point)


@pytest.mark.long
def test_the_sweep_goes_to_the_last_write(subject: Subject, proxy: Proxy) -> None:
    subject.run(proxy.url, "up")
    assert len(proxy.writes) <= UP_WRITES
    proxy.forget()
    subject.run(proxy.url, "down", "--yes")
    assert len(proxy.writes) <= DOWN_WRITES
