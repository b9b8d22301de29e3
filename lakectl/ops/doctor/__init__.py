"""``lakectl doctor``: the installation, what the target needs of this machine, then the account and the lake in it.

Nothing is changed. A check that can't be made is a finding that says why.
"""

from __future__ import annotations

from lakectl.aws import machine_findings as machine
from lakectl.errors import LakectlError
from lakectl.findings import Finding, problem

__all__ = ["machine", "of_error"]


def of_error(check: str, error: LakectlError) -> Finding:
    """What stops lakectl, and so the checks that come after it."""
    return problem(check, error.message, error.hint)
