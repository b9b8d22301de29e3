"""CreateEventSourceMapping and its like. The pollers follow what is kept here."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from lakectl.local.functions.errors import Refused, conflict, invalid, not_found
from lakectl.local.functions.event_sources import rules
from lakectl.local.functions.lifecycle import Functions
from lakectl.local.functions.names import Reference
from lakectl.local.functions.pages import page
from lakectl.local.functions.store import CHECKPOINT, MAPPING, Item

ABSENT = "The resource you requested does not exist."


class Mappings:
    """``changed(region, uuid)`` is called once a change is on disk."""

    def __init__(self, functions: Functions, changed: Callable[[str, str], None]) -> None:
        self._functions = functions
        self._kept = functions.kept
        self._changed = changed

    def create(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        mapping = rules.new(request)
        reference = self._function(region, request)
        rules.check(mapping, self._functions.find(reference), reference.name)
        for other in self._kept.all(region, MAPPING).values():
            same = (other["EventSourceArn"], other["FunctionArn"]) == (mapping["EventSourceArn"], reference.arn)
            if same and other["State"] != "Deleting":
                service, arn = mapping["EventSourceArn"].split(":")[2], mapping["EventSourceArn"]
                raise conflict(
                    f'An event source mapping with {"SQS" if service == "sqs" else service} arn (" {arn} ") and '
                    f'function (" {reference.name} ") already exists. Please update or delete the existing mapping '
                    f"with UUID {other['UUID']}"
                )
        identity = str(uuid.uuid4())
        enabled = request.get("Enabled") is not False
        queue = rules.is_queue(mapping)
        mapping |= {
            "UUID": identity,
            "EventSourceMappingArn": f"arn:aws:lambda:{region}:{reference.account}:event-source-mapping:{identity}",
            "FunctionArn": reference.arn,
            "State": "Creating",
            "StateTransitionReason": "USER_INITIATED" if queue else "User action",
            "_enabled": enabled,
            "Tags": dict(request.get("Tags") or {}),
        }
        if not queue:
            mapping["LastProcessingResult"] = "No records processed"
            self._start_position(region, mapping)
        return self._put(region, mapping)

    def _start_position(self, region: str, mapping: dict[str, Any]) -> None:
        """Where reading begins: what is in the stream by now is not LATEST."""
        shard = rules.shard_of(mapping["EventSourceArn"])
        after = shard.starting_sequence_number - 1
        if mapping["StartingPosition"] == "LATEST":
            after += len(shard.items)
        self._kept.put(region, CHECKPOINT, mapping["UUID"], {"after": after, "attempts": 0})

    def _function(self, region: str, request: Mapping[str, Any]) -> Reference:
        reference = self._functions.reference(region, request, 256)
        try:
            self._functions.find(reference)
        except Refused:
            raise invalid("Function does not exist") from None
        return reference

    def update(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        mapping = copy.deepcopy(self._find(region, request))
        if mapping["State"] == "Deleting":
            raise _in_use(mapping)
        rules.change(mapping, {name: value for name, value in request.items() if name != "StartingPosition"})
        if request.get("FunctionName"):
            mapping["FunctionArn"] = self._function(region, request).arn
        reference = self._functions.reference(region, {"FunctionName": mapping["FunctionArn"]}, 256)
        rules.check(mapping, self._functions.find(reference), reference.name)
        if request.get("Enabled") is not None:
            mapping["_enabled"] = bool(request["Enabled"])
        mapping["State"] = "Updating"
        return self._put(region, mapping)

    def get(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return _shown(self._find(region, request))

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._functions.reference(region, request, 256).arn if request.get("FunctionName") else None
        found = [
            _shown(mapping)
            for mapping in self._kept.all(region, MAPPING).values()
            if arn in (None, mapping["FunctionArn"])
            and request.get("EventSourceArn") in (None, mapping["EventSourceArn"])
        ]
        return page(found, "EventSourceMappings", request)

    def delete(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        mapping = self._find(region, request)
        if mapping["State"] == "Deleting":
            raise _in_use(mapping)
        mapping["State"], mapping["_enabled"] = "Deleting", False
        return self._put(region, mapping)

    def _find(self, region: str, request: Mapping[str, Any]) -> Item:
        found = self._kept.all(region, MAPPING).get(str(request.get("UUID")))
        if found is None:
            raise not_found(ABSENT)
        return found

    def _put(self, region: str, mapping: Item) -> dict[str, Any]:
        mapping["LastModified"] = time.time()
        self._kept.put(region, MAPPING, mapping["UUID"], mapping)
        self._functions.context.database.after_commit(lambda: self._changed(region, mapping["UUID"]))
        return _shown(mapping)


def _in_use(mapping: Mapping[str, Any]) -> Refused:
    return Refused(
        "ResourceInUseException", f"Cannot update the event source mapping because it is in use. UUID {mapping['UUID']}"
    )


def _shown(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if not name.startswith("_") and name != "Tags"}
