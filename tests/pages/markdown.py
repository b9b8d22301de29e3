"""Texts as Markdown."""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    """``<…>`` and ``*`` outside of code would be taken for HTML and emphasis."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<*])", r"\\\1", part) for part in parts)


def cell(text: str) -> str:
    """A text in a table, on one line."""
    return " ".join(text.split()).replace("|", "\\|")
