"""Published versions: code and configuration that never change again, each with an ARN of its own.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from lakectl.local.functions import configuration
from lakectl.local.functions.errors import changed, conflict, invalid
from lakectl.local.functions.names import LATEST, Reference, is_version
from lakectl.local.functions.store import Item


def of_qualifier(item: Item, qualifier: str | None) -> str:
    """The version that a qualifier stands for; an alias's own one, whatever else it routes to."""
    if qualifier is None:
        return LATEST
    alias = item["Aliases"].get(qualifier)
    return str(alias["FunctionVersion"]) if alias is not None else qualifier


def check_conditions(latest: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    """CodeSha256 and RevisionId of PublishVersion. Raises Refused."""
    wanted, found = request.get("CodeSha256"), latest["CodeSha256"]
    if wanted and wanted != found:
        raise invalid(
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({found}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    if request.get("RevisionId") and request["RevisionId"] != latest["RevisionId"]:
        raise changed("GetFunction/GetAlias")


def publish(item: Item, latest: dict[str, Any], description: str | None) -> dict[str, Any]:
    """The new version; the last one again when nothing has changed since then, as on AWS."""
    last = item["Versions"].get(str(item["Next"] - 1))
    if last is not None and last["_change"] == latest["_change"]:
        return dict(last)
    made = copy.deepcopy(latest)
    made["Version"] = str(item["Next"])
    if description is not None:
        made["Description"] = description
    configuration.revise(made)
    configuration.revise(latest)
    item["Versions"][made["Version"]] = made
    item["Next"] += 1
    return made


def delete(item: Item, reference: Reference) -> None:
    """DeleteFunction with a qualifier. A version that does not exist is deleted already. Raises Refused."""
    qualifier = str(reference.qualifier)
    if qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if not is_version(qualifier):
        raise invalid("Deletion of aliases is not currently supported.")
    pointing = [alias["Name"] for alias in item["Aliases"].values() if qualifier in _versions_of(alias)]
    if pointing:
        raise conflict(
            f"Version {qualifier} can't be deleted: these aliases point to it: {', '.join(sorted(pointing))}"
        )
    item["Versions"].pop(qualifier, None)
    item["Policies"].pop(qualifier, None)
    item["InvokeConfigs"].pop(qualifier, None)


def _versions_of(alias: Mapping[str, Any]) -> set[str]:
    return {alias["FunctionVersion"], *((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})}
