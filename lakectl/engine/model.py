"""What a resource is, what a plan is. Plain values; only :mod:`lakectl.engine.apply` writes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from lakectl.aws import Aws
from lakectl.engine.forms import Module, Template
from lakectl.errors import LakectlError, UsageError
from lakectl.naming import TAG_LAKE, TAG_REGION, Place


@dataclass(frozen=True)
class Change:
    """One field that differs: what is there, what we want. Values are JSON-like."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class State:
    """What AWS has. ``tags`` is ``None`` for sub-resources, which can't carry any and belong to their parent."""

    fields: Mapping[str, Any]
    tags: Mapping[str, str] | None = None


class Action(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    ADOPT = "adopt"
    DELETE = "delete"
    KEEP = "in place"
    ABSENT = "absent"
    WAIT = "wait"  # it can't be made before something comes to be that `up` does not make
    FOREIGN = "foreign"


class Data(StrEnum):
    """What a resource is to the lake's data. ``down --keep-data`` keeps all but NONE."""

    NONE = "none"
    HELD = "holds data"
    CATALOG = "says where data is"  # goes before what holds it


class Resource(ABC):
    """One AWS resource: what it is for, and how it is read, compared, made, changed and deleted.

    ``name`` is the physical name, ``needs`` the ids of what must exist first, ``parent`` the id of the
    resource whose ownership a sub-resource inherits, ``step`` the subcommand that makes it.
    ``place`` is where it is; only what has an ARN needs it.
    """

    kind: ClassVar[str]
    # Why a lake has it, as `explain` says it.
    why: ClassVar[str]
    # What is paid for it while nothing happens (pricing pages of the services).
    idle_cost: ClassVar[str] = "nothing"
    # The part of it that is the same whatever happens, in US dollars a month.
    idle_usd: ClassVar[float] = 0.0
    data: ClassVar[Data] = Data.NONE
    # Of partition, region, account and name; empty for sub-resources, which have none.
    arn_format: ClassVar[str] = ""
    # The actions of IAM by which functions and jobs read and write what it holds: the roles' policies are made of them.
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ()
    # Whether it may start or make writes to the lake's data: `down` deletes it before it denies them.
    starts_writes: ClassVar[bool] = False
    # The fields by which events reach it or leave it; None = all.
    delivery_fields: ClassVar[frozenset[str] | None] = None
    # What the service answers when it is there already. A create whose answer was lost is sent again by boto3 and then
    # fails with one of these; so does the slower of two `up` at once. Then what is there decides.
    exists_codes: ClassVar[frozenset[str]] = frozenset()
    # Its operations that set tags -> the permission that they need for them (Service Authorization Reference).
    tagging: ClassVar[Mapping[str, str]] = {}
    batch: str | None = None  # resources of one kind and batch are read by one :meth:`read_batch`
    # For fields that AWS hands back in another form than they were put: gives equal values for what means the same.
    comparable: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    # A write of it may be acknowledged and not kept: `up` reads it back, and writes again for so many seconds.
    reads_back_s: ClassVar[float | None] = None

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str] | None = None,
        needs: tuple[str, ...] = (),
        parent: str | None = None,
        place: Place | None = None,
    ) -> None:
        self.name = name
        self.step = step
        self.tags = dict(tags or {})
        self.needs = needs if parent is None or parent in needs else (*needs, parent)
        self.parent = parent
        self.place = place

    @classmethod
    def id_of(cls, name: str) -> str:
        """The id of the resource of this kind that is called ``name``."""
        return f"{cls.kind}/{name}"

    @property
    def id(self) -> str:
        return self.id_of(self.name)

    @classmethod
    def arn_of(cls, place: Place, name: str) -> str:
        """The ARN of the resource of this kind that is called ``name``."""
        return cls.arn_format.format(partition=place.partition, region=place.region, account=place.account, name=name)

    @property
    def arn(self) -> str:
        """The ARN, or an empty string for sub-resources."""
        return self.arn_of(self.place, self.name) if self.place and self.arn_format else ""

    @abstractmethod
    def desired(self) -> Mapping[str, Any]:
        """The fields we manage and the values we want, in the shape that :meth:`read` returns."""

    @abstractmethod
    def read(self, aws: Aws) -> State | None:
        """What is there; ``None`` = absent. Never writes."""

    @classmethod
    def read_batch(cls, aws: Aws, resources: Sequence[Any]) -> list[State | None]:
        """What :meth:`read` gives for each of ``resources``, which share ``batch``."""
        return [resource.read(aws) for resource in resources]

    @abstractmethod
    def create(self, aws: Aws) -> None:
        """Make it, with its tags in the same call where the API allows it."""

    @abstractmethod
    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        """Put the fields in ``changes`` (``tags`` among them) to the values we want."""

    @abstractmethod
    def destroy(self, aws: Aws) -> None:
        """Delete it and what hangs on it. "Not found" is success."""

    def awaits(self, aws: Aws) -> str:  # noqa: ARG002 - most wait for nothing
        """What `up` does not make and must be there first; ends the sentence "waits for …". Empty: it can be made."""
        return ""

    def visible(self, aws: Aws) -> bool:  # noqa: ARG002 - most services read what was written
        """Whether a read shows what was written. `up` asks after a write, so that the next `plan` sees no drift that
        is none; one call at most."""
        return True

    def unavailable(self, aws: Aws) -> str:  # noqa: ARG002 - most can be had everywhere
        """Why it can't be had at the target; empty: it can."""
        return ""

    def diff(self, live: State) -> tuple[Change, ...]:
        """The fields that differ. Foreign tags are left alone; ours must be there."""
        changes = []
        for field, want in self.desired().items():
            have, normal = live.fields.get(field), self.comparable.get(field)
            if normal is not None:
                have, want = normal(have), normal(want)
            if have != want:
                changes.append(Change(field, have, want))
        if live.tags is not None:
            missing = {key: value for key, value in self.tags.items() if live.tags.get(key) != value}
            if missing:
                changes.append(Change("tags", {key: live.tags.get(key) for key in missing}, missing))
        return tuple(changes)

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:  # noqa: ARG002
        """Add it to a CloudFormation template. ``needs``: the logical ids of what must be there first.

        Raises :class:`LakectlError` when it has no such form.
        """
        raise LakectlError(f"{self.kind} {self.name} has no CloudFormation form", "lakectl explain")

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:  # noqa: ARG002
        """Add it to a Terraform module. ``needs``: the addresses of what must be there first.

        Raises :class:`LakectlError` when it has no such form.
        """
        raise LakectlError(f"{self.kind} {self.name} has no Terraform form", "lakectl explain")

    def owned(self, live: State) -> bool:
        """Whether what is there bears this lake's tag (sub-resources: decided by the parent)."""
        return live.tags is None or live.tags.get(TAG_LAKE) == self.tags.get(TAG_LAKE)


def refuse_elsewhere(resource: Resource, live: State) -> None:
    """Raise :class:`UsageError` when the tags of what is ours say that the lake is in another region.

    Roles and bucket names have no region: the same lake name in a second region would meet the first one's.
    """
    here, there = resource.tags.get(TAG_REGION), (live.tags or {}).get(TAG_REGION)
    if here and there and here != there and resource.owned(live):
        raise UsageError(
            f"lake {resource.tags[TAG_LAKE]!r} is in {there}, not in {here}: so say the tags of "
            f"{resource.kind} {resource.name}",
            f"work on it with: --region {there}; or make another beside it: --name NAME and suffix_names: true",
        )


@dataclass(frozen=True)
class Step:
    """What the plan does with one resource. ``awaits``: what one with the action WAIT waits for."""

    resource: Resource
    action: Action
    changes: tuple[Change, ...] = ()
    live: State | None = None
    awaits: str = ""

    @property
    def pending(self) -> bool:
        return self.action in (Action.CREATE, Action.CHANGE, Action.ADOPT, Action.DELETE)


@dataclass(frozen=True)
class Plan:
    """What would be done, in an order that respects what needs what."""

    steps: tuple[Step, ...]
    deleting: bool = False

    @property
    def pending(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.pending)

    @property
    def foreign(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action is Action.FOREIGN)

    def count(self, action: Action) -> int:
        return sum(step.action is action for step in self.steps)
