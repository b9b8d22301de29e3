"""The patterns behind LIKE in SHOW TABLES, SHOW VIEWS and SHOW DATABASES.

https://docs.aws.amazon.com/athena/latest/ug/show-tables.html: ``*`` for any characters, ``|`` between choices.
"""

from __future__ import annotations

import fnmatch
import re


def matching(found: list[str], pattern: str | None) -> list[str]:
    """Those of ``found``, which are in lower case, that a Hive pattern lets through; all without one."""
    if pattern is None:
        return found
    choices = [re.sub(r"([\[?])", r"[\1]", choice) for choice in pattern.lower().split("|")]
    return [name for name in found if any(fnmatch.fnmatchcase(name, choice) for choice in choices)]
