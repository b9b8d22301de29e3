"""One thread for each event source mapping that is enabled: from the endpoint's start, or the mapping's, to its end."""

from __future__ import annotations

import logging
import threading
from typing import Any

from lakectl.local.context import LocalContext
from lakectl.local.functions.event_sources import rules
from lakectl.local.functions.event_sources.sqs import QueueSource
from lakectl.local.functions.event_sources.streams import StreamSource
from lakectl.local.functions.service import LambdaService
from lakectl.local.functions.store import CHECKPOINT, MAPPING, Item
from lakectl.local.seams import dynamodb_streams, sqs

IDLE_SECONDS = 1.0  # messages become visible again, and delays end, without a word

log = logging.getLogger(__name__)


class Pollers:
    def __init__(self, context: LocalContext, service: LambdaService) -> None:
        self._context = context
        self._service = service
        self._kept = service.kept
        self._running: dict[str, Poller] = {}
        self._lock = threading.Lock()
        context.on_start.append(self._start)
        context.on_stop.append(self._stop)
        context.working.append(lambda: any(each.source.working for each in list(self._running.values())))
        sqs.on_message.append(self.wake)
        dynamodb_streams.on_records.append(self.wake)

    def wake(self, source_arn: str) -> None:
        """Something has come into a queue or a stream."""
        for each in list(self._running.values()):
            if each.source_arn == source_arn:
                each.wake.set()

    def changed(self, region: str, identity: str) -> None:
        """A mapping has been made, changed or deleted."""
        self._context.background.submit(self._follow, region, identity)

    def _start(self) -> None:
        for region, mapping in self._kept.everywhere(MAPPING):
            self.changed(region, mapping["UUID"])

    def _stop(self) -> None:
        for each in list(self._running.values()):
            each.stop.set()

    def _follow(self, region: str, identity: str) -> None:
        with self._lock:
            mapping = self._kept.all(region, MAPPING).get(identity)
            running = self._running.get(identity)
            enabled = mapping is not None and mapping["_enabled"]
            if running is not None and not enabled:
                running.stop.set()
                running.wake.set()
                del self._running[identity]
            self._settle(region, identity)
            if mapping is not None and enabled and running is None:
                self._running[identity] = Poller(self._context, self._service, region, mapping)
                self._running[identity].start()

    def _settle(self, region: str, identity: str) -> None:
        with self._kept.lock, self._context.database.transaction():
            mapping = self._kept.all(region, MAPPING).get(identity)
            if mapping is None:
                return
            if mapping["State"] == "Deleting":
                self._kept.delete(region, MAPPING, identity)
                self._kept.delete(region, CHECKPOINT, identity)
                return
            state = "Enabled" if mapping["_enabled"] else "Disabled"
            if mapping["State"] != state:
                mapping["State"] = state
                self._kept.put(region, MAPPING, identity, mapping)


class Poller(threading.Thread):
    def __init__(self, context: LocalContext, service: LambdaService, region: str, mapping: Item) -> None:
        super().__init__(name=f"event-source-{mapping['UUID']}", daemon=True)
        self.source_arn = str(mapping["EventSourceArn"])
        self.stop, self.wake = threading.Event(), threading.Event()
        self.source: Any = (
            QueueSource(context, service, self.stop)
            if rules.is_queue(mapping)
            else StreamSource(context, service, self.stop, region)
        )
        self._service = service
        self._region = region
        self._identity = mapping["UUID"]

    def run(self) -> None:
        while not self.stop.is_set():
            self.wake.clear()
            try:
                worked = self._step()
            except Exception:
                log.exception("event source mapping %s failed once", self._identity)
                worked = False
            if not worked:
                self.wake.wait(IDLE_SECONDS)
        self.source.close()

    def _step(self) -> bool:
        mapping = self._service.kept.all(self._region, MAPPING).get(self._identity)
        target = self._service.find(mapping["FunctionArn"]) if mapping is not None else None
        if mapping is None or target is None or target.pending:
            return False
        return bool(self.source.step(mapping, target))
