"""A plan being carried out, as it is seen: a line for each resource, and on a terminal what is in flight."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.engine.apply import Event, Result
    from lakectl.engine.model import Plan, Step
    from lakectl.output import Output

DONE = {"create": "created", "change": "changed", "adopt": "adopted", "delete": "deleted"}


@contextmanager
def watching(out: Output, plan: Plan, *, verbose: bool = False) -> Iterator[Callable[[Event], None]]:
    """Yields an observer for :func:`lakectl.engine.apply.apply`.

    One line for all resources of a kind that are created, adopted or deleted, when the last of them has ended; with
    ``verbose`` one for each. What is changed or fails always has a line of its own.
    """
    total, in_flight, ended = len(plan.pending), dict[str, str](), 0
    groups = {} if verbose else _groups(plan)
    with out.busy("") as update:

        def observe(event: Event) -> None:
            nonlocal ended
            step = event.step
            name = f"{step.resource.kind} {step.resource.name}"
            facts: dict[str, Any] = {"resource": step.resource.id, "action": step.action.value}
            facts |= {"waiting_for": event.waiting_for} if event.waiting_for else {}
            facts |= {"note": event.note} if event.note else {}
            out.event(event=event.outcome, **facts, **({"error": event.error.message} if event.error else {}))
            if event.outcome == "waiting":
                out.item("note", f"{name} waits for {event.waiting_for}")
            elif event.outcome == "note":
                out.item("note", name, event.note)
            elif event.outcome == "started":
                in_flight[step.resource.id] = name
            else:
                in_flight.pop(step.resource.id, None)
                ended += 1
                group = groups.get((step.action.value, step.resource.kind))
                if group and event.outcome == "done":
                    group.add(event)
                else:
                    _show(out, event, name)
                if group:
                    group.left -= 1
                    group.show(out)
            update(f"{ended} of {total}  {', '.join(list(in_flight.values())[:2])}{' …' if len(in_flight) > 2 else ''}")

        yield observe


@dataclass
class _Group:
    """Resources of one kind, of which ``left`` have not ended. ``since``: when the first of them began."""

    action: str
    kind: str
    left: int = 0
    done: list[Event] = field(default_factory=list)
    since: float = 0.0

    def add(self, event: Event) -> None:
        began = time.monotonic() - event.seconds
        self.since = min(self.since, began) if self.done else began
        self.done.append(event)

    def show(self, out: Output) -> None:
        if self.left or not self.done:
            return
        if len(self.done) == 1:
            _show(out, self.done[0], f"{self.kind} {self.done[0].step.resource.name}")
            return
        seconds = time.monotonic() - self.since
        out.item("ok", f"{DONE[self.action]} {len(self.done)} {plural(self.kind)}", f"{seconds:.1f} s")


def _groups(plan: Plan) -> dict[tuple[str, str], _Group]:
    groups: dict[tuple[str, str], _Group] = {}
    for step in plan.pending:
        action, kind = step.action.value, step.resource.kind
        if action != "change":
            groups.setdefault((action, kind), _Group(action, kind)).left += 1
    return groups


def plural(kind: str) -> str:
    """``s3-buckets``, ``athena-named-queries``."""
    return kind[:-1] + "ies" if kind.endswith("y") else kind if kind.endswith("s") else kind + "s"


def _show(out: Output, event: Event, name: str) -> None:
    if event.outcome == "done":
        fields = ", ".join(change.field for change in event.step.changes)
        out.item(
            "ok", f"{DONE[event.step.action.value]} {name}", f"{fields + '  ' if fields else ''}{event.seconds:.1f} s"
        )
    elif event.outcome == "failed" and event.error:
        out.item("failed", name, event.error.message)
    elif event.outcome == "blocked":
        out.item("skipped", name, "waits for what failed")


def summarize(out: Output, plan: Plan, result: Result, again: str) -> None:
    """The closing line.

    Raises ``KeyboardInterrupt`` when it was interrupted, :class:`LakectlError` (the first failure, and how
    to go on) when something failed.
    """
    if result.interrupted:
        out.say(f"Interrupted after {len(result.done)} of {len(plan.pending)}. Go on with: {again}")
        raise KeyboardInterrupt
    if not result.ok:
        raise _failure(result, again)
    waiting = [step for step in plan.steps if step.awaits]
    for step in waiting:
        out.item("note", f"{step.resource.kind} {step.resource.name}", f"waits for {step.awaits}")
    if not plan.pending:
        out.say(f"Nothing to change: all {len(plan.steps) - len(waiting)} resources are in place.")
        return
    counts: dict[str, int] = {}
    for step in result.done:
        verb = DONE[step.action.value]
        counts[verb] = counts.get(verb, 0) + 1
    parts = [f"{count} {verb}" for verb, count in counts.items()]
    if not plan.deleting:
        parts.append(f"{len(plan.steps) - len(plan.pending) - len(waiting)} in place")
    out.say(f"{', '.join(parts)} in {result.seconds:.1f} s.")


def _failure(result: Result, again: str) -> LakectlError:
    first = next(iter(result.failed.values()))
    others = len(result.failed) - 1
    more = f" (and {others} more failed)" if others else ""
    blocked = f"; {len(result.blocked)} wait for it" if result.blocked else ""
    failure = LakectlError(f"{first.message}{more}{blocked}", first.hint or f"fix it and go on with: {again}")
    failure.exit_code = first.exit_code
    return failure


def as_data(plan: Plan, result: Result) -> dict[str, Any]:
    """The outcome for ``--json``."""
    done = {step.resource.id for step in result.done}

    def row(step: Step) -> dict[str, Any]:
        return {
            "kind": step.resource.kind,
            "name": step.resource.name,
            "arn": step.resource.arn,
            "action": step.action.value,
            "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in step.changes],
            "done": step.resource.id in done or not step.pending,
        }

    return {"ok": result.ok, "seconds": round(result.seconds, 3), "resources": [row(step) for step in plan.steps]}
