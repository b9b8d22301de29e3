"""What becomes of rows that fail a check, and the bits that tell which checks a row fails by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from lakectl.spec.model import Check, LakeSpec, Policy, SourceSpec, policies_of

FAIL: Policy = "fail"
QUARANTINE: Policy = "quarantine"
WARN: Policy = "warn"
IGNORE: Policy = "ignore"
ADD = "add"
# Built-in checks that one row by itself decides, each a bit of its flags.
BITS = {"broken_rows": 1, "null_keys": 2, "required": 4, "dates": 8, "numbers": 16, "booleans": 32}
# A row with a field that its source does not name, where such a landing is to be refused.
FURTHER = 64
_FIRST_OWN = 128
# The flags are a BIGINT.
_MOST_OWN = 56
# What --ON_BAD_ROWS speaks of: rows that can't be read for certain.
BAD_ROWS = (*BITS, "duplicate_keys")


@dataclass(frozen=True)
class Checks:
    """The checks of one source. ``early``: those that see nothing but the row's own columns, and what is derived of
    these: the checks judge them. ``late``: those that see looked-up columns."""

    source: SourceSpec

    @cached_property
    def known_early(self) -> frozenset[str]:
        """Own columns, and derived ones that need no lookup."""
        known = {column.name for column in self.source.columns}
        for derived in self.source.derive:
            if known.issuperset(derived.sql.columns):
                known.add(derived.name)
        return frozenset(known)

    @cached_property
    def early(self) -> tuple[Check, ...]:
        seen = tuple(check for check in self.source.checks if self.known_early.issuperset(check.sql.columns))
        return seen[:_MOST_OWN]

    @cached_property
    def late(self) -> tuple[Check, ...]:
        return tuple(check for check in self.source.checks if check not in self.early)

    @cached_property
    def bits(self) -> Mapping[str, int]:
        """Each check of judged rows -> its bit."""
        return BITS | {check.name: _FIRST_OWN << place for place, check in enumerate(self.early)}

    @cached_property
    def policies(self) -> Mapping[str, Policy]:
        """Check or lookup (``lookups.NAME``) -> policy."""
        own = {check.name: check.otherwise for check in self.source.checks}
        return {
            **self.source.policies,
            **own,
            **{lookup_check(each.name): each.missing for each in self.source.lookups},
        }

    def mask(self, *policies: str) -> int:
        """The bits of the checks that have one of these policies."""
        return sum(bit for check, bit in self.bits.items() if self.policies[check] in policies)


def lookup_check(name: str) -> str:
    """What a missing row of a lookup is called where checks are counted: no check can have that name."""
    return f"lookups.{name}"


def overridden(spec: LakeSpec, policy: str) -> LakeSpec:
    """``spec`` with another policy for rows that can't be read for certain. Raises ValueError for a wrong one."""
    asked = next((each for each in (FAIL, QUARANTINE, WARN) if each == policy), None)
    if asked is None:
        raise ValueError(f"--ON_BAD_ROWS {policy}: expected fail, quarantine or warn")
    # Rather than let them vanish, warn quarantines what silver can't hold.
    checks = {check: asked if asked in policies_of(check) else QUARANTINE for check in BAD_ROWS}
    sources = {name: replace(source, policies={**source.policies, **checks}) for name, source in spec.sources.items()}
    return replace(spec, sources=sources)
