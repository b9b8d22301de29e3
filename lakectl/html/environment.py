"""How templates are filled: every value is escaped, control characters are shown, a name that is not there fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lakectl.html import charts, text
from lakectl.output import human_bytes

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STYLES = HERE / "static" / "lake.css"
_TEXTS = (text.count, text.moment, text.seconds, text.share, text.short, text.shown, text.usd)


def _finalize(value: Any) -> Any:
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _right(kind: str) -> str:
    """The class of a cell of Athena's type ``kind``."""
    return "n" if kind.partition("(")[0].lower() in charts.NUMBERS else ""


FILTERS: Mapping[str, Callable[..., Any]] = {
    **{each.__name__: each for each in _TEXTS},
    "bytes": human_bytes,
    "right": _right,
}


def options() -> dict[str, Any]:
    """The settings of a ``jinja2.Environment``, but for where its templates are."""
    import jinja2

    return {
        "autoescape": True,
        "undefined": jinja2.StrictUndefined,
        "finalize": _finalize,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }


def environment(*folders: Path) -> Any:
    """A ``jinja2.Environment`` of the templates in ``folders``, and of those here."""
    import jinja2

    made = jinja2.Environment(loader=jinja2.FileSystemLoader([*folders, TEMPLATES]), **options())  # noqa: S701 - see options
    made.filters.update(FILTERS)
    return made
