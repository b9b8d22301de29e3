"""IAM: AWS-managed policies for the partition that anybody uses.

Wrapped: ``IAMBackend._init_aws_policies``. With the managed policies on, moto parses all 1,600 of them for each of five
partitions when the first request of any service comes: a second of CPU for four copies that nobody asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.iam.models import IAMBackend

from lakectl.local.context import LocalContext


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    IAMBackend._init_aws_policies = _for_one_partition(IAMBackend._init_aws_policies)


def _for_one_partition(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def init_aws_policies(self: IAMBackend) -> list[Any]:
        return original(self) if self.partition == "aws" else []

    return init_aws_policies
