"""What other services of moto still ask of its Lambda: it is ours now, and theirs to find.

Refused: resources of Lambda in a CloudFormation stack, which moto would make in a Lambda that nobody sees.
"""

from __future__ import annotations

from typing import Any, NoReturn

from moto.awslambda import models
from moto.core.common_models import CloudFormationModel

from lakectl.local.context import LocalContext


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    found = [each for each in vars(models).values() if isinstance(each, type)]
    kinds: list[Any] = [each for each in found if issubclass(each, CloudFormationModel)]
    for kind in kinds:
        if kind is not CloudFormationModel:
            kind.create_from_cloudformation_json = classmethod(_refused)


def _refused(kind: type[CloudFormationModel], *_: Any, **__: Any) -> NoReturn:
    from moto.cloudformation.exceptions import ValidationError  # whose package imports all services: 150 MB

    name = kind.cloudformation_type()
    raise ValidationError(
        message=f"NOT_SUPPORTED: {name} in a stack is not supported by the local AWS; it works on AWS"
    )
