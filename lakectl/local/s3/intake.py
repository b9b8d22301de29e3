"""Objects on their way in: their bytes go to a file while they arrive, before moto sees the request.

moto would read the whole body into memory. It gets the file instead (``Upload``), which belongs to no object yet: what
no object has taken when the request ends is deleted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lakectl.local.durable.bodies import Bodies, Body
from lakectl.local.iam import refusals
from lakectl.local.iam.calls import CALL, Call
from lakectl.local.iam.refusals import Refused
from lakectl.local.iam.signature import Seal
from lakectl.local.s3 import body as s3_body
from lakectl.local.s3 import checksums

UPLOAD = "lakectl.upload"
SEAL = "lakectl.seal"


@dataclass(frozen=True)
class Upload:
    """``agreed``: checksums that the client gave; ``computed``: all that are known (``SHA256`` → base64)."""

    body: Body
    agreed: Mapping[str, str]
    computed: Mapping[str, str]

    @property
    def checksum(self) -> tuple[str, str]:
        """Algorithm and value of the checksum that the object has: the client's, or S3's own."""
        return next(iter((self.agreed or {checksums.DEFAULT: self.computed[checksums.DEFAULT]}).items()))


class Intake:
    """WSGI between the guard and moto. ``bodies`` is set before the first request."""

    bodies: Bodies

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call: Call = environ[CALL]
        if call.address is None or UPLOAD in environ or not call.address.is_upload(environ):
            return self.application(environ, start_response)
        try:
            upload = self._receive(environ, environ.pop(SEAL, None))
        except Refused as refused:
            return refusals.respond(refused.refusal, "s3", "s3", environ, start_response)
        environ[UPLOAD] = upload
        try:
            return self.application(environ, start_response)
        finally:
            if not upload.body.kept:
                self.bodies.remove(upload.body.files)

    def _receive(self, environ: dict[str, Any], seal: Seal | None) -> Upload:
        incoming = s3_body.Incoming(environ, seal, checksums.DEFAULT)
        body = self.bodies.write(incoming)
        try:
            agreed = incoming.agreed(self.bodies.md5(body))
        except Refused:
            self.bodies.remove(body.files)
            raise
        s3_body.forget_encoding(environ)
        environ |= {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"}
        environ.pop("wsgi.input_terminated", None)
        return Upload(body, agreed, incoming.computed())
