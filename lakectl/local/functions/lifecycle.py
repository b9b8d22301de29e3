"""CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction, and a function's concurrency.

A new function is Pending, and a change is InProgress, until its code is unpacked. Until then the function can't be
invoked, or serves what it was before.
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from lakectl.local.context import LocalContext
from lakectl.local.functions import code, configuration, layers, names, versions
from lakectl.local.functions.configuration import IN_PROGRESS, STATES
from lakectl.local.functions.errors import Refused, changed, conflict, invalid, not_found
from lakectl.local.functions.names import LATEST, Reference
from lakectl.local.functions.process import CACHE
from lakectl.local.functions.store import FUNCTION, Item, Store

AWAIT_SECONDS = 0.5
UNRESERVED = 100  # concurrent executions that remain for functions without a reservation
CONCURRENT = 1000

log = logging.getLogger(__name__)


class Functions:
    """``ended(arn)`` is called with a function's ARN when it or one of its versions is gone."""

    def __init__(self, context: LocalContext, kept: Store, ended: Callable[[str], None]) -> None:
        self.context = context
        self.kept = kept
        self.ended = ended
        self._settling = threading.Condition()
        context.on_start.append(self._go_on)

    def reference(self, region: str, request: Mapping[str, Any], most: int = names.MAX_ARN) -> Reference:
        name, qualifier = str(request.get("FunctionName") or ""), request.get("Qualifier")
        return names.read(name, region, self.context.account_id, qualifier, most)

    def item(self, reference: Reference) -> Item:
        """Raises Refused when the function does not exist; its qualifier is not looked at."""
        found = self.kept.all(reference.region, FUNCTION).get(reference.name)
        if found is None:
            raise not_found(f"Function not found: {reference.arn}")
        return found

    def find(self, reference: Reference) -> dict[str, Any]:
        """The configuration of a version, an alias or $LATEST. Raises Refused."""
        item = self.item(reference)
        version = versions.of_qualifier(item, reference.qualifier)
        if version not in item["Versions"]:
            raise not_found(f"Function not found: {reference.arn}")
        found: dict[str, Any] = item["Versions"][version]
        return found

    def create(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self.reference(region, request)
        if reference.qualifier:
            raise invalid("Qualified function names are not supported by CreateFunction.")
        account = self.context.account_id
        configuration.check(request, account)
        if not request.get("Role"):
            raise Refused(
                "ValidationException",
                "1 validation error detected: Value null at 'role' failed to satisfy "
                "constraint: Member must not be null",
            )
        self._check_absent(reference)
        if (request.get("Code") or {}).get("ImageUri"):
            code.read(request["Code"], None)  # which says why not
        for field in ("Runtime", "Handler"):
            if not request.get(field):
                raise invalid(f"{field} is mandatory for functions created with deployment packages.")
        data = code.read(request.get("Code") or {}, self.context.client("s3", region))
        with self.kept.lock, self.context.database.transaction():
            self._check_absent(reference)
            made = configuration.new({**request, "FunctionName": reference.name})
            self._set_code(made, data)
            layers.attach(self.kept, region, made, request.get("Layers"))
            item: Item = {
                "FunctionName": reference.name,
                "Created": time.time(),
                "Tags": dict(request.get("Tags") or {}),
                "Next": 1,
                "Versions": {LATEST: made},
                "Aliases": {},
                "Policies": {},
                "InvokeConfigs": {},
            }
            self._put(region, item)
            answer = configuration.shown(made, reference)
            if request.get("Publish"):
                # As recorded on AWS: the number of the version, and the ARN without it.
                answer["Version"] = versions.publish(item, made, None)["Version"]
                self._put(region, item)
            self.settle_later(region, reference.name)
            return answer

    def _check_absent(self, reference: Reference) -> None:
        if reference.name in self.kept.all(reference.region, FUNCTION):
            raise conflict(f"Function already exist: {reference.name}")

    def update_code(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self.latest(region, request)
        configuration.check({"Architectures": request.get("Architectures"), "PublishTo": request.get("PublishTo")}, "")
        if request.get("ImageUri"):
            raise invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
        self.item(reference)
        data = code.read(request, self.context.client("s3", region))
        with self.kept.lock, self.context.database.transaction():
            item = self.item(reference)
            before = self._changeable(item, reference, request)
            made = copy.deepcopy(before)
            self._set_code(made, data)
            if request.get("Architectures"):
                made["Architectures"] = list(request["Architectures"])
            layers.check_size(self.kept, region, made)
            configuration.touch(made)
            if request.get("DryRun"):
                return configuration.shown(made, reference)
            return self._replace(region, reference, item, made, bool(request.get("Publish")))

    def update_configuration(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self.latest(region, request)
        item = self.item(reference)
        configuration.check(request, self.context.account_id)
        before = self._changeable(item, reference, request)
        made = copy.deepcopy(before)
        configuration.change(made, request)
        if request.get("Layers") is not None:
            layers.attach(self.kept, region, made, request["Layers"])
        return self._replace(region, reference, item, made, publish=False)

    def latest(self, region: str, request: Mapping[str, Any]) -> Reference:
        """The reference of a request that changes $LATEST."""
        reference = self.reference(region, request)
        if reference.qualifier not in (None, LATEST):
            raise invalid("The operation is not permitted on a version or an alias: only $LATEST can be changed.")
        return Reference(region, reference.account, reference.name)

    def _changeable(self, item: Item, reference: Reference, request: Mapping[str, Any]) -> dict[str, Any]:
        """$LATEST's configuration, if it may be changed now. Raises Refused."""
        found: dict[str, Any] = item["Versions"][LATEST]
        check_settled(found, reference)
        if request.get("RevisionId") and request["RevisionId"] != found["RevisionId"]:
            raise changed("GetFunction/GetAlias")
        return found

    def _replace(
        self, region: str, reference: Reference, item: Item, made: dict[str, Any], publish: bool
    ) -> dict[str, Any]:
        item["Serving"] = item["Versions"][LATEST]
        made.update(IN_PROGRESS)
        item["Versions"][LATEST] = made
        answer = configuration.shown(made, reference)
        if publish:
            answer["Version"] = versions.publish(item, made, None)["Version"]
        self._put(region, item)
        self.settle_later(region, reference.name)
        return answer

    def _set_code(self, made: dict[str, Any], data: bytes) -> None:
        made["_code"] = self.kept.keep_zip(data)
        made["_unzipped"] = code.unzipped_bytes(data)
        made["CodeSha256"] = code.sha256_base64(data)
        made["CodeSize"] = len(data)

    def delete(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self.reference(region, request)
        item = self.item(Reference(region, reference.account, reference.name))
        if reference.qualifier is None:
            self.kept.delete(region, FUNCTION, reference.name)
        else:
            versions.delete(item, reference)
            self._put(region, item)
        self.context.database.after_commit(lambda: self.ended(reference.arn))
        return {}

    def publish(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        """PublishVersion."""
        reference = self.latest(region, request)
        item = self.item(reference)
        configuration.check({"PublishTo": request.get("PublishTo")}, "")
        latest = item["Versions"][LATEST]
        check_settled(latest, reference)
        versions.check_conditions(latest, request)
        made = versions.publish(item, latest, request.get("Description"))
        self._put(region, item)
        return configuration.shown(made, Reference(region, reference.account, reference.name, made["Version"]))

    def put_concurrency(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = self.unqualified(region, request)
        item = self.item(reference)
        wanted = int(request["ReservedConcurrentExecutions"])
        others = sum(
            each.get("Reserved") or 0
            for each in self.kept.all(region, FUNCTION).values()
            if each["FunctionName"] != reference.name
        )
        if CONCURRENT - others - wanted < UNRESERVED:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{UNRESERVED}]."
            )
        item["Reserved"] = wanted
        self._put(region, item)
        return {"ReservedConcurrentExecutions": wanted}

    def unqualified(self, region: str, request: Mapping[str, Any]) -> Reference:
        reference = self.reference(region, request)
        if reference.qualifier:
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                "operation. Please specify either a function name or an unqualified function ARN."
            )
        return reference

    def get_concurrency(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        reserved = self.item(self.unqualified(region, request)).get("Reserved")
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def delete_concurrency(self, region: str, request: dict[str, Any]) -> dict[str, Any]:
        item = self.item(self.unqualified(region, request))
        item.pop("Reserved", None)
        self._put(region, item)
        return {}

    def _put(self, region: str, item: Item) -> None:
        self.kept.put(region, FUNCTION, item["FunctionName"], item)

    put = _put

    def settle_later(self, region: str, name: str) -> None:
        def begin() -> None:
            self.context.background.submit(self._settle, region, name)

        self.context.database.after_commit(begin)

    def _settle(self, region: str, name: str) -> None:
        """Unpack the code, then let the function serve it."""
        item = self.kept.all(region, FUNCTION).get(name)
        if item is None:
            return
        pending = list(item["Versions"].values())
        failure = ""
        try:
            for each in pending:
                self.unpacked(each)
        except Exception as error:  # whatever is wrong with a zip is the function's state
            log.exception("the code of %s can't be unpacked", name)
            failure = f"{type(error).__name__}: {error}"
        with self.kept.lock, self.context.database.transaction():
            item = self.kept.all(region, FUNCTION).get(name)
            if item is None:
                return
            for each in item["Versions"].values():
                if any(each is other for other in pending):
                    _settled(each, failure)
            if not failure:
                item.pop("Serving", None)
            self._put(region, item)
        with self._settling:
            self._settling.notify_all()

    def unpacked(self, made: Mapping[str, Any]) -> tuple[Any, Any]:
        """The folders of a version's code and of its layers; None without layers."""
        cache = self.context.state_dir / CACHE
        zips = [self.kept.zip_path(each) for each in made.get("_layers", ())]
        root = code.unpack([self.kept.zip_path(made["_code"])], cache)
        return root, code.unpack(zips, cache) if zips else None

    def await_settled(self, region: str, request: Mapping[str, Any]) -> None:
        """Before GetFunction answers: a waiter asks each second, and unpacking takes milliseconds."""
        reference = self.reference(region, request, 256)

        def settled() -> bool:
            item = self.kept.all(region, FUNCTION).get(reference.name)
            return item is None or all(_is_settled(each) for each in list(item["Versions"].values()))

        with self._settling:
            self._settling.wait_for(settled, AWAIT_SECONDS)

    def _go_on(self) -> None:
        """What an earlier server has not finished."""
        for region, item in self.kept.everywhere(FUNCTION):
            if any(not _is_settled(each) for each in item["Versions"].values()):
                self.context.background.submit(self._settle, region, item["FunctionName"])


def check_settled(made: Mapping[str, Any], reference: Reference) -> None:
    """Raises Refused while the function is Pending or its last change InProgress."""
    cannot = "The operation cannot be performed at this time."
    if made.get("State") == "Pending":
        raise conflict(f"{cannot} The function is currently in the following state: Pending")
    if made.get("LastUpdateStatus") == "InProgress":
        raise conflict(f"{cannot} An update is in progress for resource: {reference.arn}")


def _is_settled(made: Mapping[str, Any]) -> bool:
    return made.get("State") != "Pending" and made.get("LastUpdateStatus") != "InProgress"


def _settled(made: dict[str, Any], failure: str) -> None:
    if _is_settled(made):
        return
    was_new = made["State"] == "Pending"
    for name in STATES:
        if was_new or name in IN_PROGRESS:
            made.pop(name, None)
    if failure:
        kind = "State" if was_new else "LastUpdateStatus"
        made |= {kind: "Failed", f"{kind}Reason": failure, f"{kind}ReasonCode": "InternalError"}
    else:
        made |= {"State": "Active", "LastUpdateStatus": "Successful"}
    configuration.revise(made)
