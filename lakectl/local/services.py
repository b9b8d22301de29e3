"""The services of this process that others ask: the Lambda service, and Athena's executions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakectl.local.athena.executions import Executions
    from lakectl.local.functions.service import LambdaService

_registered: list[LambdaService] = []
_executions: list[Executions] = []
_named_queries: list[Callable[[str, str], str | None]] = []


def register(service: LambdaService) -> None:
    _registered[:] = [service]


def lambda_service() -> LambdaService:
    """The one that ``functions.api.LambdaApi`` registered."""
    return _registered[0]


def register_executions(executions: Executions, named_query: Callable[[str, str], str | None]) -> None:
    """``named_query`` gives the workgroup of a named query, by region and id."""
    _executions[:] = [executions]
    _named_queries[:] = [named_query]


def workgroup_of_named_query(query_id: str, region: str) -> str | None:
    return _named_queries[0](region, query_id) if _named_queries else None


def workgroup_of(execution_id: str, region: str) -> str | None:
    """The name of a query execution's workgroup; None when there is no such execution."""
    found = next((each for each in _executions[0].all() if each.id == execution_id), None) if _executions else None
    return found.workgroup if found is not None and found.region == region else None
