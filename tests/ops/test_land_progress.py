"""What a person sees while bytes move."""

from __future__ import annotations

from lakectl.output import progress_line
from lakectl.progress import WINDOW_S, Meter

MIB = 1 << 20


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_bytes_that_were_there_before_count_as_done_but_not_for_the_rate() -> None:
    clock = Clock()
    meter = Meter(100 * MIB, clock)
    clock.now += 30  # comparing them with the file takes its time
    meter.add(60 * MIB, found=True)
    assert (meter.done, meter.rate) == (60 * MIB, None)
    assert progress_line(meter) == "60.0 MiB of 100.0 MiB"
    clock.now += 4
    meter.add(8 * MIB)
    assert meter.rate == 2 * MIB
    assert progress_line(meter) == "68.0 MiB of 100.0 MiB  2.0 MiB/s  0:16 left"


def test_the_rate_is_that_of_the_last_minute_and_falls_when_nothing_moves() -> None:
    clock = Clock()
    meter = Meter(10_000 * MIB, clock)
    for _ in range(100):
        clock.now += 1
        meter.add(10 * MIB)
    for _ in range(2 * int(WINDOW_S)):
        clock.now += 1
        meter.add(MIB)
    assert meter.rate is not None
    assert round(meter.rate / MIB, 2) == 1
    clock.now += WINDOW_S
    assert meter.rate < 0.6 * MIB


def test_when_every_byte_is_there_no_rate_is_told() -> None:
    meter = Meter(8 * MIB)
    meter.add(8 * MIB)
    assert meter.complete
    assert progress_line(meter) == "8.0 MiB"
