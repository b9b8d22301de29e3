"""``lakectl sql``: a shell for Athena. It knows how to read statements and to complete them, not how to run one."""

from __future__ import annotations
