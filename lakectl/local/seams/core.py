"""What moto computes anew for each request, remembered.

moto 5.2.5 looks through the models of all AWS services for each error that it answers (15 ms; a plan of a lake
that is not there gets 40 errors), and loads the model of a service in the first requests that need it, in each
of them at once.
"""

from __future__ import annotations

from functools import cache

from moto.core import utils
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from lakectl.local.context import LocalContext


def install(context: LocalContext) -> None:  # noqa: ARG001 - every seam is installed with it
    utils.service_name_from_moto_package_name = cache(utils.service_name_from_moto_package_name)


def warm(package: str) -> None:
    """Load what requests to ``package`` (moto's name of a service) need, before somebody asks for it."""
    service = {"awslambda": "lambda"}.get(package, package)
    utils.service_name_from_moto_package_name(package)
    get_service_model(service)
    get_service_router(service)
