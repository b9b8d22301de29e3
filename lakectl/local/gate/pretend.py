"""``LAKECTL_LOCAL_PRETEND=stepfunctions,firehose``: services whose answers are taken as moto gives them.

For those who want the answer and not the effect. botocore's names, or signing names.
"""

from __future__ import annotations

import logging
import os
from functools import cache

from lakectl.local.gate import names, table

VARIABLE = "LAKECTL_LOCAL_PRETEND"

log = logging.getLogger(__name__)


@cache
def services() -> frozenset[str]:
    """botocore's names of the services that the environment names. Once: the log says which, and which word is none."""
    return frozenset(name for name, _ in _named())


@cache
def _signing_names() -> frozenset[str]:
    return frozenset(signing for _, signing in _named())


@cache
def _named() -> tuple[tuple[str, str], ...]:
    named = []
    for word in filter(None, (each.strip() for each in os.environ.get(VARIABLE, "").split(","))):
        found = names.by_name(word)
        if found is None:
            log.error("%s: there is no service %s: write botocore's name of it", VARIABLE, word)
        else:
            named.append((found[1].name, found[0]))
    if named:
        log.warning("%s: answered without their effect: %s", VARIABLE, ", ".join(sorted(name for name, _ in named)))
    return tuple(named)


def is_offered(signing_name: str) -> bool:
    """Whether a request with this signing name is read for its service: others are refused as a whole."""
    return table.is_signed_for(signing_name) or signing_name.lower() in _signing_names()
