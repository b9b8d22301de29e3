"""What the lake's configuration says about files, checks and policies; it travels in ``--SETTINGS``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from lake.schemas import SOURCES, Source

FAIL, QUARANTINE, WARN, IGNORE, ADD = "fail", "quarantine", "warn", "ignore", "add"
CHECKS = {
    "broken_rows": FAIL,
    "null_keys": FAIL,
    "dates": FAIL,
    "numbers": FAIL,
    "duplicate_keys": FAIL,
    "unknown_customers": WARN,
    "unknown_products": WARN,
    "quantities": WARN,
}
# A row without a key, or with other fields than the header, can't be in silver in any form.
NEVER_IN_SILVER = ("broken_rows", "null_keys")
# What --ON_BAD_ROWS speaks of: rows that can't be read for certain.
BAD_ROWS = ("broken_rows", "null_keys", "dates", "numbers", "duplicate_keys")
# Checks that one row by itself decides, each a bit of its ``flags``.
BITS = {"broken_rows": 1, "null_keys": 2, "dates": 4, "numbers": 8, "quantities": 16}
# A broken row with a quote that has no partner on its line. Under every policy its landing is refused: the
# lines before and after it may look whole and be parts of one value.
OPEN_QUOTE = 32
# A value with an odd number of quotes: an inch sign, or what is left of a value with a line break. Only its line tells.
ODD_QUOTES = 64


@dataclass(frozen=True)
class Settings:
    """``checks``: check -> policy; ``schema_evolution``: what becomes of columns that are not in ``sources``.
    The defaults are those of lakectl's config."""

    sources: dict[str, Source] = field(default_factory=lambda: dict(SOURCES))
    checks: dict[str, str] = field(default_factory=lambda: dict(CHECKS))
    schema_evolution: str = FAIL

    def mask(self, *policies: str) -> int:
        """The bits of the checks that have one of these policies."""
        return sum(bit for check, bit in BITS.items() if self.checks[check] in policies)

    def having(self, *policies: str) -> list[str]:
        return [check for check, policy in self.checks.items() if policy in policies]


def parse(text: str = "", on_bad_rows: str = "") -> Settings:
    """Settings out of ``--SETTINGS`` (JSON: sources, checks, schema_evolution), with ``--ON_BAD_ROWS`` applied.

    Raises ValueError for an unknown check or policy, or one that can't be.
    """
    given = json.loads(text) if text else {}
    sources = {
        name: Source(name, tuple(source["keys"]), dict(source["columns"]))
        for name, source in given.get("sources", {}).items()
        if name in SOURCES
    }
    evolution = given.get("schema_evolution", FAIL)
    if evolution not in (FAIL, IGNORE, ADD):
        raise ValueError(f"--SETTINGS: schema_evolution can't be {evolution}; expected ignore, add, fail")
    settings = Settings({**SOURCES, **sources}, {**CHECKS, **given.get("checks", {})}, evolution)
    for check, policy in settings.checks.items():
        if check not in CHECKS:
            raise ValueError(f"--SETTINGS: no check is called {check}; known: {', '.join(CHECKS)}")
        if policy not in allowed(check):
            raise ValueError(f"--SETTINGS: {check} can't be {policy}; expected {', '.join(allowed(check))}")
    return _overridden(settings, on_bad_rows) if on_bad_rows else settings


def allowed(check: str) -> tuple[str, ...]:
    """The policies that a check can have."""
    return (FAIL, QUARANTINE) if check in NEVER_IN_SILVER else (FAIL, QUARANTINE, WARN, IGNORE)


def _overridden(settings: Settings, policy: str) -> Settings:
    if policy not in (FAIL, QUARANTINE, WARN):
        raise ValueError(f"--ON_BAD_ROWS {policy}: expected fail, quarantine or warn")
    # Rather than let them vanish, warn sets aside what silver can't hold.
    checks = {check: policy if policy in allowed(check) else QUARANTINE for check in BAD_ROWS}
    return replace(settings, checks={**settings.checks, **checks})
