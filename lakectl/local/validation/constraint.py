"""The sentence in which most services refuse a value."""

from __future__ import annotations


def text(value: object, place: str, rule: str) -> str:
    return f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: Member must {rule}"


def between(value: object, place: str, low: int, high: int) -> str | None:
    """Why ``value`` is refused at ``place``, or None if it is a number from ``low`` to ``high``."""
    number = int(str(value))
    if number < low:
        return text(value, place, f"have value greater than or equal to {low}")
    if number > high:
        return text(value, place, f"have value less than or equal to {high}")
    return None
