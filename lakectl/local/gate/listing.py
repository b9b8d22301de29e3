"""The table of services for people: what `lakectl local services` and the page of the docs show."""

from __future__ import annotations

from typing import NamedTuple

from lakectl.errors import UsageError
from lakectl.local.gate import names, table

COMMAND = "lakectl local services"


class Counted(NamedTuple):
    """``service``: botocore's name; ``runs`` and ``stored``: how many operations do."""

    service: str
    name: str
    runs: int
    stored: int


def services() -> list[Counted]:
    """All services of the table, by name."""
    found = [table.service(name) for name in sorted(table.names())]
    return [Counted(each.name, names.full_name(each.name), len(each.runs), len(each.stored)) for each in found if each]


def operations(service: str) -> dict[str, str]:
    """Each operation that botocore knows of the service → ``table.RUNS``, ``STORED`` or ``REFUSED``.

    Raises UsageError for what is no service's name.
    """
    name = _name_of(service)
    from botocore.loaders import Loader

    model = Loader().load_service_model(name, "service-2")
    known = table.service(name)
    ours = known.runs | known.stored if known is not None else frozenset()
    every = sorted({*model["operations"], *ours})
    return {each: known.kind(each) if known is not None else table.REFUSED for each in every}


def settings(service: str) -> dict[str, list[object]]:
    """``Operation.Parameter`` → the values that are taken; none: it has to be left out."""
    known = table.service(_name_of(service))
    if known is None:
        return {}
    return {
        ".".join((operation, *each.path)): list(each.taken)
        for operation, group in sorted(known.settings.items())
        for each in group
    }


def _name_of(service: str) -> str:
    named = names.by_name(service)
    if named is None:
        raise UsageError(f"there is no service {service!r}", f"write the AWS CLI's name of it; {COMMAND}")
    return named[1].name
