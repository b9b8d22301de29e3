"""Layers: zips that functions share. On AWS they are unpacked to /opt; here to a folder that is on the path.

https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html: five at most, the later over the earlier, and all of
it with the function's own code within the 250 MB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lakectl.local.functions import code
from lakectl.local.functions.errors import constrained, invalid, not_found
from lakectl.local.functions.store import LAYER, Item, Store

MOST = 5
NAME = re.compile(r"(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+")
VERSION_ARN = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|"
    r"(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
)


def find(kept: Store, arn: str) -> tuple[Item, dict[str, Any]] | None:
    """The layer and the version with this ARN, a deleted one too: functions that have it go on with it."""
    parts = arn.split(":")
    layer = kept.all(parts[3], LAYER).get(parts[6])
    version = layer["Versions"].get(parts[7]) if layer is not None else None
    return (layer, version) if layer is not None and version is not None else None


def attach(kept: Store, region: str, made: dict[str, Any], wanted: Sequence[str] | None) -> None:
    """Give a configuration these layers. Raises Refused."""
    arns = list(wanted or ())
    if len(arns) > MOST:
        raise invalid(f"Cannot reference more than {MOST} layers.")
    before = {each["Arn"] for each in made.get("Layers", ())}
    found: list[dict[str, Any]] = []
    for arn in arns:
        if not VERSION_ARN.fullmatch(arn):
            rules = (
                "Member must have length less than or equal to 2048, Member must have length greater than or equal to "
                f"1, Member must satisfy regular expression pattern: {VERSION_ARN.pattern}, Member must not be null"
            )
            raise constrained(f"[{', '.join(arns)}]", "layers", f"satisfy constraint: [{rules}]")
        there = arn.split(":")[3]
        if there and there != region:
            raise invalid(
                f"Layers are not in the same region as the function. Layers are expected to be in region {region}."
            )
        known = find(kept, arn) if there else None
        if known is None or (known[1].get("_deleted") and arn not in before):
            raise invalid(f"Layer version {arn} does not exist.")
        found.append(known[1])
    for at, arn in enumerate(arns):
        for other in arns[:at]:
            if other.rpartition(":")[0] == arn.rpartition(":")[0]:
                raise invalid(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. "
                    f"{other} and {arn} are versions of the same layer."
                )
    made.pop("Layers", None)
    made.pop("_layers", None)
    if found:
        made["Layers"] = [{"Arn": each["LayerVersionArn"], "CodeSize": each["Content"]["CodeSize"]} for each in found]
        made["_layers"] = [each["_code"] for each in found]
    check_size(kept, region, made)


def check_size(kept: Store, region: str, made: dict[str, Any]) -> None:  # noqa: ARG001 - of the function's region
    """Raises Refused when code and layers together are too large."""
    size = made["_unzipped"]
    for each in made.get("Layers", ()):
        known = find(kept, each["Arn"])
        size += known[1]["_unzipped"] if known is not None else 0
    if size > code.MAX_UNZIPPED:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {code.MAX_UNZIPPED} bytes. "
            f"The actual size is {size} bytes."
        )


def name_of(text: str) -> str:
    """Of ``LayerName``, which may be an ARN. Raises Refused."""
    if not NAME.fullmatch(text):
        raise constrained(text, "layerName", f"satisfy regular expression pattern: {NAME.pattern}")
    return text.rpartition(":")[2]


def version_of(kept: Store, region: str, account: str, name: str, number: str) -> tuple[Item, dict[str, Any]]:
    """A version that is not deleted. Raises Refused."""
    arn = f"arn:aws:lambda:{region}:{account}:layer:{name}:{number}"
    if int(number) < 1:
        raise invalid("Layer Version Cannot be less than 1")
    found = find(kept, arn)
    if found is None or found[1].get("_deleted"):
        raise not_found("The resource you requested does not exist.")
    return found
