"""Pages of a list: ``MaxItems`` and ``Marker`` of a request."""

from __future__ import annotations

from typing import Any

from lakectl.local.functions.errors import invalid

MOST = 50


def page(items: list[Any], key: str, request: dict[str, Any]) -> dict[str, Any]:
    """``{key: items…, "NextMarker": …}``. Raises Refused for a marker that no answer has given."""
    marker = str(request.get("Marker") or "0")
    if not marker.isdigit() or int(marker) > len(items):
        raise invalid(f"Invalid Marker: {marker}")
    start = int(marker)
    end = start + min(int(request.get("MaxItems") or MOST), MOST if key == "Functions" else 10_000)
    answer: dict[str, Any] = {key: items[start:end]}
    if end < len(items):
        answer["NextMarker"] = str(end)
    return answer
