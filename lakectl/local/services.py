"""The services of this process that others ask: the Lambda service, and Athena's executions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakectl.local.athena.executions import Executions
    from lakectl.local.lambda_service import LambdaService

_registered: list[LambdaService] = []
_executions: list[Executions] = []


def register(service: LambdaService) -> None:
    _registered[:] = [service]


def lambda_service() -> LambdaService:
    """The service that ``seams.awslambda.install`` registered."""
    return _registered[0]


def register_executions(executions: Executions) -> None:
    _executions[:] = [executions]


def workgroup_of(execution_id: str, region: str) -> str | None:
    """The name of a query execution's workgroup; None when there is no such execution."""
    found = next((each for each in _executions[0].all() if each.id == execution_id), None) if _executions else None
    return found.workgroup if found is not None and found.region == region else None
