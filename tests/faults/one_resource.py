"""One resource of a lake at a time, made, changed or deleted by the engine through a proxy that answers as AWS does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fault_lakes import connect
from recording_proxy import Answer, Call, Proxy

from lakectl import project
from lakectl.aws import Aws
from lakectl.config import Config
from lakectl.engine.apply import Event, Result, apply
from lakectl.engine.model import Action, Change, Plan, Resource, Step
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake


@dataclass(frozen=True)
class Refusal:
    """What AWS says to ``operation`` (a pattern of the service and the operation that the proxy names)."""

    operation: str
    answer: Answer

    def meets(self, call: Call) -> bool:
        return re.fullmatch(self.operation, f"{call.service} {call.operation}") is not None


@dataclass
class Done:
    """What came of one step: the result, the sentences "waiting for …", the notes."""

    result: Result
    waited_for: list[str]
    notes: list[str]


@dataclass
class SingleSteps:
    """A lake behind ``proxy``, of which a test makes only what it needs. ``refused`` counts what AWS refused."""

    proxy: Proxy
    lake: Lake
    straight: Aws
    aws: Aws
    refused: int = 0
    made: dict[str, Resource] = field(default_factory=dict)

    @staticmethod
    def of(endpoint: Endpoint, name: str) -> SingleSteps:
        proxy = Proxy(endpoint.url)
        aws, straight = connect(endpoint, proxy.url, attempts=2), connect(endpoint, endpoint.url)
        config = Config.model_validate({"name": name, "suffix_names": True})
        return SingleSteps(proxy, Lake(config, project.find(), straight), straight, aws)

    def find(self, kind: str) -> Resource:
        """The first resource of ``kind``."""
        return next(resource for resource in self.lake.resources if resource.kind == kind)

    def there(self, resource: Resource) -> Resource:
        """Make it, and what it needs, unless it is there."""
        needs = {each.id: each for each in self.lake.resources}
        for need in resource.needs:
            self.there(needs[need])
        if resource.read(self.straight) is None:
            resource.create(self.straight)
        self.made[resource.id] = resource
        return resource

    def absent(self, resource: Resource) -> Resource:
        """Delete it if it is there, and make what it needs."""
        self.there(resource)
        resource.destroy(self.straight)
        return resource

    def refuse(self, refusal: Refusal, times: int = 2, then: Mapping[str, bytes] | None = None) -> None:
        """``then``: answers (200) to operations, in the endpoint's stead."""
        self.refused = 0

        def before(call: Call) -> Answer | None:
            if refusal.meets(call) and self.refused < times:
                self.refused += 1
                return refusal.answer
            answer = (then or {}).get(f"{call.service} {call.operation}")
            return None if answer is None else Answer(200, answer, {"Content-Type": "application/x-amz-json-1.1"})

        self.proxy.before = before

    def rewrite(self, operation: str, change: Callable[[bytes], bytes], times: int = 2) -> None:
        """Change the body of the next ``times`` answers to ``operation``."""
        self.refused = 0

        def rewrite(call: Call, body: bytes) -> bytes:
            if re.fullmatch(operation, f"{call.service} {call.operation}") is None or self.refused == times:
                return body
            self.refused += 1
            return change(body)

        self.proxy.rewrite = rewrite

    def do(self, resource: Resource, action: Action, changes: tuple[Change, ...] = ()) -> Done:
        events: list[Event] = []
        plan = Plan((Step(resource, action, changes),), deleting=action is Action.DELETE)
        result = apply(plan, self.aws, events.append)
        if action is not Action.DELETE and any(resource.id == each.id for each in self.lake.resources):
            self.made[resource.id] = resource
        return Done(
            result,
            [event.waiting_for for event in events if event.outcome == "waiting"],
            [event.note for event in events if event.outcome == "note"],
        )

    def clear(self) -> None:
        self.proxy.before = lambda _: None
        self.proxy.after = lambda _: False
        self.proxy.rewrite = lambda _, body: body

    def close(self) -> None:
        """Delete all that was made, newest first."""
        self.clear()
        for resource in reversed(self.made.values()):
            resource.destroy(self.straight)
        self.proxy.close()


def says(result: Result) -> str:
    """The one line of the one error."""
    (error,) = result.failed.values()
    return f"{error.message} | {error.hint}"
