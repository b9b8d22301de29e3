"""Errors of S3 with their status and details [S3 API reference, "Error responses"].

moto knows the statuses of the errors in S3's API model only, which are a few. Wrapped: ``S3Response._key_response`` and
``_bucket_response``, to answer with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from moto.s3.responses import S3Response


class S3Error(Exception):
    """``details`` are elements of the answer besides code and message."""

    def __init__(self, code: str, message: str, status: int = 400, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.details = details
        self.headers: dict[str, str] = {}

    def answer(self) -> tuple[int, dict[str, Any], str]:
        fields = {"Code": self.code, "Message": self.args[0], **self.details}
        inside = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inside}</Error>'
        return self.status, {"Content-Type": "application/xml", **self.headers}, document


def invalid_request(message: str) -> S3Error:
    return S3Error("InvalidRequest", message)


def malformed_xml() -> S3Error:
    return S3Error(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )


def install() -> None:
    """After everything else that wraps the same methods."""
    for name in ("_key_response", "_bucket_response"):
        setattr(S3Response, name, _answering(getattr(S3Response, name)))


def _answering(original: Callable[..., Any]) -> Callable[..., Any]:
    def response(self: S3Response, request: Any, full_url: str) -> Any:
        try:
            return original(self, request, full_url)
        except S3Error as error:
            status, headers, document = error.answer()
            return status, headers, "" if request.method == "HEAD" else document

    return response
