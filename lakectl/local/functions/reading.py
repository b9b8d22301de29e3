"""What can be asked about functions: GetFunction, the lists, tags, and the account's settings."""

from __future__ import annotations

import re
from typing import Any

from lakectl.local.functions import code, configuration, names
from lakectl.local.functions.errors import constrained, invalid, not_found
from lakectl.local.functions.lifecycle import CONCURRENT, Functions
from lakectl.local.functions.names import LATEST, Reference
from lakectl.local.functions.pages import page
from lakectl.local.functions.store import FUNCTION, LAYER, MAPPING, Item

MAX_TAGS = 50
TAGGABLE = re.compile(
    r"arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:"
    r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|event-source-mapping:[a-z0-9-]+|"
    r"code-signing-config:csc-[a-z0-9]{17})"
)


class Reading:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._kept = functions.kept

    def function(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        shown, item = self._configuration(region, request)
        answer: dict[str, Any] = {
            "Configuration": shown,
            "Code": {"RepositoryType": "S3", "Location": self._location(region, item, shown["Version"])},
        }
        if item["Tags"]:
            answer["Tags"] = item["Tags"]
        if item.get("Reserved") is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": item["Reserved"]}
        return answer

    def configuration(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._configuration(region, request)[0]

    def _configuration(self, region: str, request: dict[str, Any]) -> tuple[dict[str, Any], Item]:
        reference = self._functions.reference(region, request, 256)
        made = self._functions.find(reference)
        return configuration.shown(made, reference), self._functions.item(reference)

    def _location(self, region: str, item: Item, version: str) -> str:
        """As AWS has it. The local endpoint does not serve it."""
        where = f"awslambda-{region}-tasks.s3.{region}.amazonaws.com"
        return f"https://{where}/snapshots/{self._functions.context.account_id}/{item['FunctionName']}-{version}"

    def list(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        every = request.get("FunctionVersion")
        if every not in (None, "ALL"):
            raise constrained(every, "functionVersion", "satisfy enum value set: [ALL]")
        found = []
        for item in sorted(self._kept.all(region, FUNCTION).values(), key=lambda item: str(item["FunctionName"])):
            for version, made in item["Versions"].items():
                if every or version == LATEST:
                    qualifier = version if every else None
                    found.append(self._shown(region, item, made, qualifier))
        return page(found, "Functions", request)

    def versions(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self._functions.reference(region, request)
        item = self._functions.item(reference)
        found = [self._shown(region, item, made, version) for version, made in item["Versions"].items()]
        return page(found, "Versions", request)

    def _shown(self, region: str, item: Item, made: dict[str, Any], qualifier: str | None) -> dict[str, Any]:
        """Without its state, which lists do not have [ListFunctions, API reference]."""
        account = self._functions.context.account_id
        shown = configuration.shown(made, Reference(region, account, item["FunctionName"], qualifier))
        return {name: value for name, value in shown.items() if name not in configuration.STATES}

    def account(self, region: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - it has no parameters
        items = list(self._kept.all(region, FUNCTION).values())
        layers = self._kept.all(region, LAYER).values()
        size = sum(made["CodeSize"] for item in items for made in item["Versions"].values())
        size += sum(version["Content"]["CodeSize"] for layer in layers for version in layer["Versions"].values())
        reserved = sum(item.get("Reserved") or 0 for item in items)
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": code.MAX_UNZIPPED,
                "CodeSizeZipped": code.MAX_ZIPPED,
                "ConcurrentExecutions": CONCURRENT,
                "UnreservedConcurrentExecutions": CONCURRENT - reserved,
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(items)},
        }

    def tags(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self._tagged(region, request)[2].get("Tags") or {}}

    def tag(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        kind, key, item = self._tagged(region, request)
        if not request.get("Tags"):
            raise invalid("An error occurred and the request cannot be processed.")
        tags = {**(item.get("Tags") or {}), **request["Tags"]}
        if len(tags) > MAX_TAGS:
            raise invalid("Number of tags exceeds resource tag limit.")
        item["Tags"] = tags
        self._kept.put(region, kind, key, item)
        return {}

    def untag(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        kind, key, item = self._tagged(region, request)
        if not request.get("TagKeys"):
            raise constrained(None, "tagKeys", "not be null")
        item["Tags"] = {
            name: value for name, value in (item.get("Tags") or {}).items() if name not in request["TagKeys"]
        }
        self._kept.put(region, kind, key, item)
        return {}

    def _tagged(self, region: str, request: dict[str, Any]) -> tuple[str, str, Item]:
        """(kind, key, item) of what ``Resource`` names. Raises Refused."""
        arn = str(request.get("Resource") or request.get("ARN"))
        if not TAGGABLE.fullmatch(arn):
            raise constrained(arn, "resource", f"satisfy regular expression pattern: {TAGGABLE.pattern}")
        if ":event-source-mapping:" in arn:
            key = arn.rpartition(":")[2]
            mapping = self._kept.all(region, MAPPING).get(key)
            if mapping is None:
                raise not_found("The resource you requested does not exist.")
            return MAPPING, key, mapping
        reference = names.of_arn(arn)
        if reference is None:
            raise not_found("The resource you requested does not exist.")
        if reference.qualifier:
            raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
        return FUNCTION, reference.name, self._functions.item(names.read(arn, region, reference.account))
