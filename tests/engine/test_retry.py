"""Waiting for AWS: what ends it."""

from __future__ import annotations

import signal
import threading
from typing import Any, cast

from botocore.exceptions import ClientError
from fakes import Thing, World

from lakectl.aws import Aws
from lakectl.engine.apply import apply
from lakectl.engine.plan import plan_up
from lakectl.engine.retry import until_ready
from lakectl.resources.queue import QUEUE_DELETED_RECENTLY

NO_AWS = cast(Aws, None)


class Waits(Thing):
    """AWS refuses its name for two minutes."""

    def create(self, aws: Any) -> None:  # noqa: ARG002
        def refuse() -> None:
            raise ClientError({"Error": {"Code": "QueueDeletedRecently", "Message": "wait"}}, "CreateQueue")

        until_ready(refuse, QUEUE_DELETED_RECENTLY)


def test_ctrl_c_ends_a_wait_at_once_and_nothing_counts_as_failed() -> None:
    world = World()
    things = [Waits("waits", world), Thing("slow", world, seconds=0.5), Thing("later", world, ("waits",))]
    main = threading.get_ident()
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    # By then the wait is in a step of two seconds.
    timer = threading.Timer(2.0, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    try:
        result = apply(plan_up(things, NO_AWS), NO_AWS)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, previous)
    assert result.interrupted
    assert result.seconds < 2.6
    assert (result.failed, result.blocked) == ({}, [])
    assert world.writes == ["create slow"]
