"""Pages of a list: ``MaxResults`` and ``NextToken`` of a request."""

from __future__ import annotations

from typing import Any

from lakectl.local.athena.errors import RequestError


def page(items: list[Any], key: str, request: dict[str, Any], most: int) -> dict[str, Any]:
    """``{key: items…, "NextToken": …}``. Raises RequestError for a token that no answer has given."""
    token = request.get("NextToken") or "0"
    if not str(token).isdigit() or int(token) > len(items):
        raise RequestError(f"Invalid pagination token: {token}")
    start = int(token)
    end = start + int(request.get("MaxResults") or most)
    answer: dict[str, Any] = {key: items[start:end]}
    if end < len(items):
        answer["NextToken"] = str(end)
    return answer
