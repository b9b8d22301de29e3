"""A lake in the forms of CloudFormation and Terraform. Plain values, which the resources fill; nothing is written here.

Where the account or the region is not known, names and ARNs hold :data:`ACCOUNT` and :data:`REGION` for them. The
writers of the two formats (:mod:`lakectl.ops.export`) put a pseudo parameter or a variable there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# As long as an account id, since names have limits; no name, tag or text of AWS's can hold these characters.
ACCOUNT = "«account-id»"
REGION = "«region»"


@dataclass(frozen=True)
class File:
    """What a template refers to and can't hold: ``path`` below the folder of files.

    ``bucket`` and ``key``: where CloudFormation, which uploads nothing, wants it to be; empty for what is uploaded
    before the stack is made.
    """

    path: str
    content: bytes
    bucket: str = ""
    key: str = ""


# ── CloudFormation ───────────────────────────────────────────────────────────


@dataclass
class Template:
    """The resources of a CloudFormation template: logical id -> ``Type``, ``Properties`` and other attributes."""

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)  # id of a resource of the lake -> its logical ids
    # ARN -> the resource of the lake that has it, of those that come before the one that is being added.
    before: Mapping[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)  # sentences on what is not in it

    def add(
        self,
        owner: str,
        type_: str,
        properties: Mapping[str, Any],
        *,
        part: str = "",
        needs: Sequence[str] = (),
        keep: bool = False,
    ) -> str:
        """Add a resource for the lake's resource with the id ``owner``; returns its logical id.

        ``part`` tells several of one owner apart; ``needs``: logical ids. ``keep``: it outlives the stack.
        """
        name = self._free(logical_id(owner, part))
        written = {key: self._referring(value) for key, value in properties.items()}
        found: dict[str, Any] = {"Type": type_}
        waits_for = sorted(set(needs) - _referred_to(written))
        if waits_for:
            found["DependsOn"] = waits_for
        if keep:
            found |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        self.resources[name] = {**found, "Properties": written}
        self.parts.setdefault(owner, []).append(name)
        return name

    def _referring(self, value: Any) -> Any:
        """``value`` with a reference where it is the ARN of a resource that comes before."""
        owner = self.before.get(value) if isinstance(value, str) else None
        return {"Fn::GetAtt": [self.parts[owner][0], "Arn"]} if owner else _each(value, self._referring)

    def _free(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self.resources:
            count += 1
            name = f"{wanted}{count}"
        return name


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value whose items are changed; of what has none, the value itself."""
    if isinstance(value, Json):
        return Json(change(value.value))
    if isinstance(value, Mapping):
        changed = {key: change(item) for key, item in value.items()}
        return Block(changed) if isinstance(value, Block) else changed
    return [change(item) for item in value] if isinstance(value, list | tuple) else value


def _referred_to(value: Any) -> set[str]:
    """The logical ids that a value refers to."""
    if isinstance(value, Mapping):
        if "Ref" in value:
            return {value["Ref"]}
        if "Fn::GetAtt" in value:
            return {value["Fn::GetAtt"][0]}
        value = list(value.values())
    return set().union(*map(_referred_to, value)) if isinstance(value, list) else set()


def logical_id(owner: str, part: str = "") -> str:
    """``glue-job/my_job`` → ``GlueJobMyJob``: letters and digits only (CloudFormation user guide, "Resources")."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", f"{owner}/{part}"))


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most resource types of CloudFormation take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# ── Terraform ────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Expression:
    """HCL that is written as it is: ``aws_s3_bucket.raw.id``."""

    text: str


@dataclass(frozen=True)
class Json:
    """A value that is written as ``jsonencode(…)``."""

    value: Any


class Block(dict[str, Any]):
    """A nested block: ``versioning_configuration { … }``. A list of them is written one after the other."""


@dataclass
class Piece:
    """One Terraform resource. ``import_id``: by which ``terraform import`` finds it; ``None``: it can't be found by
    what is known of it; then ``lookup`` names the variable's entry that holds its id."""

    type: str
    label: str
    body: dict[str, Any]
    import_id: str | None
    lookup: str = ""
    remark: str = ""

    @property
    def address(self) -> str:
        return f"{self.type}.{self.label}"


@dataclass
class Module:
    """The resources of a Terraform module, in order."""

    pieces: list[Piece] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)  # id of a resource of the lake -> its addresses
    before: Mapping[str, str] = field(default_factory=dict)  # as of a Template
    left_out: list[str] = field(default_factory=list)  # as of a Template
    provider: tuple[int, int] = (5, 62)  # the least version of the AWS provider; `job_run_queuing_enabled` came with it

    def add(
        self,
        owner: str,
        type_: str,
        name: str,
        body: Mapping[str, Any],
        *,
        import_id: str | None,
        lookup: str = "",
        remark: str = "",
        needs: Sequence[str] = (),
    ) -> str:
        """Add a resource for the lake's resource with the id ``owner``; returns its address.

        ``needs``: addresses. ``remark``: a comment above it.
        """
        wanted = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
        label = wanted if wanted[:1].isalpha() else f"_{wanted}"
        taken = {piece.address for piece in self.pieces}
        count = 1
        while f"{type_}.{label}" in taken:
            count += 1
            label = f"{wanted}_{count}"
        written = {key: self._referring(value) for key, value in body.items()}
        referred_to = {text.rpartition(".")[0] for text in _expressions(written)}
        waits_for = [address for address in dict.fromkeys(needs) if address not in referred_to]
        if waits_for:
            written["depends_on"] = [Expression(address) for address in waits_for]
        piece = Piece(type_, label, written, import_id, lookup, remark)
        self.pieces.append(piece)
        self.parts.setdefault(owner, []).append(piece.address)
        return piece.address

    def since(self, *version: int) -> None:
        """What is added needs this version of the AWS provider (major, minor), or a later one."""
        self.provider = max(self.provider, (version[0], version[1]))

    def main(self, owner: str) -> str:
        """The address of the resource of the lake with the id ``owner``, which comes before."""
        return self.parts[owner][0]

    def _referring(self, value: Any) -> Any:
        """As :meth:`Template._referring`."""
        owner = self.before.get(value) if isinstance(value, str) else None
        return at(self.parts[owner][0], "arn") if owner else _each(value, self._referring)


def _expressions(value: Any) -> set[str]:
    """The expressions in a value."""
    if isinstance(value, Expression):
        return {value.text}
    if isinstance(value, Json):
        return _expressions(value.value)
    if isinstance(value, Mapping):
        value = list(value.values())
    return set().union(*map(_expressions, value)) if isinstance(value, list) else set()


def at(address: str, attribute: str = "id") -> Expression:
    """A reference to an attribute of a Terraform resource."""
    return Expression(f"{address}.{attribute}")
