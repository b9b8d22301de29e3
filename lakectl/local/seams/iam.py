"""IAM: AWS-managed policies for the partition that anybody uses, and which actions a role has used.

Wrapped: ``IAMBackend._init_aws_policies`` (with the managed policies on, moto parses all 1,600 of them for each of
five partitions when the first request of any service comes: a second of CPU for four copies that nobody asks for),
``put_policy`` of ``Role``, ``User`` and ``Group`` (CloudFormation's are no text), ``IAMBackend.create_role``,
``delete_role`` and ``get_roles`` (moto walks through its live dict of roles, and answers 500 when another request adds
one meanwhile). Added, as moto lacks them: GenerateServiceLastAccessedDetails and GetServiceLastAccessedDetails.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import Group, IAMBackend, Role, User
from moto.iam.responses import IamResponse

from lakectl.local.context import LocalContext
from lakectl.local.iam import roles
from lakectl.local.iam.grammar import as_list
from lakectl.local.iam.usage import USAGE, last_accessed

MOST_JOBS = 1000  # reports are asked for and read at once; AWS keeps them for an hour

_creating = threading.Lock()
_jobs: dict[str, tuple[str, float]] = {}  # id → role ARN, when it was asked for


def install(context: LocalContext) -> None:
    IAMBackend._init_aws_policies = _for_one_partition(IAMBackend._init_aws_policies)
    IAMBackend.create_role = _one_at_a_time(IAMBackend.create_role)
    IAMBackend.get_roles = roles_now
    IAMBackend.delete_role = _forgetting(IAMBackend.delete_role)
    for holder in (Role, User, Group):
        holder.put_policy = _as_text(holder.put_policy)
    IamResponse.generate_service_last_accessed_details = _generate
    IamResponse.get_service_last_accessed_details = _get
    context.on_load.append(lambda: USAGE.load(context.database))


def _as_text(original: Callable[..., None]) -> Callable[..., None]:
    """CloudFormation gives a document as an object, and everything else reads text."""

    def put_policy(self: Any, policy_name: str, policy_json: Any) -> None:
        original(self, policy_name, policy_json if isinstance(policy_json, str) else json.dumps(policy_json))

    return put_policy


def _for_one_partition(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def init_aws_policies(self: IAMBackend) -> list[Any]:
        return original(self) if self.partition == "aws" else []

    return init_aws_policies


def _one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
    """Or two requests could both see that there is no role of that name."""

    def create_role(self: IAMBackend, *args: Any, **named: Any) -> Any:
        with _creating:
            return original(self, *args, **named)

    return create_role


def roles_now(backend: IAMBackend) -> tuple[Any, ...]:
    """The roles there are now: what is added later changes nothing in it."""
    return tuple(backend.roles.values())


def _forgetting(original: Callable[..., None]) -> Callable[..., None]:
    def delete_role(self: IAMBackend, role_name: str) -> None:
        arn = self.get_role(role_name).arn
        original(self, role_name)
        USAGE.forget(arn)

    return delete_role


def _generate(self: IamResponse) -> ActionResult:
    arn = str(self._get_param("Arn"))
    if roles.find_role(arn, self.current_account, self.partition) is None:
        raise NotFoundException(f"ARN {arn} is not found.")
    while len(_jobs) >= MOST_JOBS:
        del _jobs[next(iter(_jobs))]
    job = str(uuid.uuid4())
    _jobs[job] = arn, time.time()
    return ActionResult({"JobId": job})


def _get(self: IamResponse) -> ActionResult:
    job = str(self._get_param("JobId"))
    if job not in _jobs:
        raise NotFoundException(f"JobId {job} is not found.")
    arn, asked = _jobs[job]
    granted = {
        action
        for document in roles.role_policies(arn)
        for statement in as_list(json.loads(document)["Statement"])
        for action in as_list(statement.get("Action", []))
    }
    return ActionResult(
        {
            "JobStatus": "COMPLETED",
            "JobType": "ACTION_LEVEL",
            "JobCreationDate": asked,
            "JobCompletionDate": time.time(),
            "ServicesLastAccessed": last_accessed(arn, granted),
            "IsTruncated": False,
        }
    )
