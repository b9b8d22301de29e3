"""The one Lambda service of this process, for those who deliver events to functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakectl.local.lambda_service import LambdaService

_registered: list[LambdaService] = []


def register(service: LambdaService) -> None:
    _registered[:] = [service]


def lambda_service() -> LambdaService:
    """The service that ``seams.awslambda.install`` registered."""
    return _registered[0]
