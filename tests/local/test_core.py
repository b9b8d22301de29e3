"""What the endpoint remembers between requests is what moto would compute anew."""

from __future__ import annotations

from functools import _lru_cache_wrapper
from typing import Any, cast

from moto.core import utils
from moto.core.utils import get_service_model

from lakectl.local.seams import core

PACKAGES = ("s3", "awslambda", "iam", "glue", "athena", "events", "dynamodb", "sqs", "logs", "sts")


def test_the_name_of_a_service_is_remembered_and_is_motos_own(monkeypatch: Any) -> None:
    original = utils.service_name_from_moto_package_name
    monkeypatch.setattr(utils, "service_name_from_moto_package_name", original)  # put back afterwards
    core.remember()
    remembered = cast("_lru_cache_wrapper[Any]", utils.service_name_from_moto_package_name)
    assert remembered is not original
    for package in PACKAGES:
        core.warm(package)
        assert remembered(package) == original(package)
    assert remembered.cache_info().currsize == len(PACKAGES)
    assert get_service_model("lambda") is get_service_model("lambda")
