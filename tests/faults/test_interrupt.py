"""Ctrl-C, as a signal to a real process."""

from __future__ import annotations

import signal
import subprocess
import threading
import time

import pytest
from fault_lakes import Subject, finish
from recording_proxy import Answer, Call, Proxy


def hold_writes(proxy: Proxy, number: int) -> tuple[threading.Event, threading.Event]:
    """Hold the ``number``-th write and all later ones: (set when the first is held, lets them go on)."""
    held, go_on = threading.Event(), threading.Event()

    def before(call: Call) -> Answer | None:
        if call.write_number >= number:
            held.set()
            go_on.wait(30)
        return None

    proxy.before = before
    return held, go_on


def interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)


def test_ctrl_c_lets_calls_in_flight_finish_and_says_how_to_go_on(subject: Subject, proxy: Proxy) -> None:
    held, go_on = hold_writes(proxy, 20)
    process = subject.start(proxy.url, "up")
    assert held.wait(30)
    interrupt(process)
    assert process.poll() is None  # it waits for what is in flight
    go_on.set()
    ended = finish(process)
    assert ended.returncode == 130, ended.stdout
    assert "Go on with: lakectl up" in ended.stdout
    assert "Traceback" not in ended.stdout
    subject.assert_converges_up()


def test_a_second_ctrl_c_leaves_at_once(subject: Subject, proxy: Proxy) -> None:
    held, go_on = hold_writes(proxy, 20)
    process = subject.start(proxy.url, "up")
    assert held.wait(30)
    interrupt(process)
    started = time.monotonic()
    interrupt(process)
    ended = finish(process)
    assert time.monotonic() - started < 5
    go_on.set()
    proxy.wait_until_idle()
    assert ended.returncode == 130, ended.stdout
    assert "Traceback" not in ended.stdout
    subject.assert_converges_up()


@pytest.mark.long
def test_ctrl_c_during_down_is_finished_by_down_again(up_subject: Subject, proxy: Proxy) -> None:
    held, go_on = hold_writes(proxy, 15)
    process = up_subject.start(proxy.url, "down", "--yes")
    assert held.wait(30)
    interrupt(process)
    go_on.set()
    ended = finish(process)
    assert ended.returncode == 130, ended.stdout
    assert "Go on with: lakectl down" in ended.stdout
    up_subject.assert_converges_down()
