"""Values as texts of the page."""

from __future__ import annotations


def visible(text: str) -> str:
    """``text`` without control characters: HTML does not allow them, and some turn the order of a line around."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode() for char in text
    )


def count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def seconds(time: float) -> str:
    return f"{time:.2f} s" if time < 10 else f"{time:.0f} s"


def short(run_id: str) -> str:
    """The beginning of a run's id."""
    return run_id if len(run_id) <= 16 else run_id[:15] + "…"


def moment(instant: str) -> str:
    """``2026-11-24T10:00:00Z`` → ``2026-11-24 10:00:00``"""
    return instant[:19].replace("T", " ")


def shown(value: str, kind: str) -> str:
    """Athena's text; a double without the digits that a double does not have (``0.30000000000000004``)."""
    if kind not in ("double", "float", "real") or not value.lstrip("-")[:1].isdigit():
        return value
    return f"{float(value):.{15 if kind == 'double' else 7}g}"


def usd(amount: float) -> str:
    return f"{amount:,.2f} USD" if amount >= 0.01 or not amount else "less than 0.01 USD"


def share(part: float, whole: float) -> str:
    """``1.2%``; at least ``0.1%`` of what is not nothing."""
    return f"{max(100 * part / whole, 0.1 if part else 0):.1f}%" if whole else "0%"
