"""What Lambda refuses a request with: the exception's name in the AWS SDKs, and its HTTP status."""

from __future__ import annotations

from lakectl.local.validation import constraint

# The statuses of the exceptions, from the API's model; all others are 400.
STATUS = {
    "ResourceNotFoundException": 404,
    "ResourceConflictException": 409,
    "PreconditionFailedException": 412,
    "RequestEntityTooLargeException": 413,
    "RequestTooLargeException": 413,
    "TooManyRequestsException": 429,
    "ServiceException": 500,
}


class Refused(Exception):
    """``kind`` is the exception's name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = STATUS.get(kind, 400)


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterValueException", message)


def unsupported(what: str) -> Refused:
    return invalid(f"NOT_SUPPORTED: {what} is not supported by the local Lambda; it works on AWS")


def constrained(value: object, place: str, rule: str) -> Refused:
    """For a value outside the constraints of the API's model. ``rule``: what the member must do or have."""
    text = constraint.text(value, place, rule)
    return Refused("ValidationException", text if value is not None else text.replace("Value 'None'", "Value null", 1))


def not_found(message: str) -> Refused:
    return Refused("ResourceNotFoundException", message)


def conflict(message: str) -> Refused:
    return Refused("ResourceConflictException", message)


def changed(how_to_ask: str) -> Refused:
    """For a RevisionId that is not the latest."""
    return Refused(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {how_to_ask} API to retrieve the latest Revision Id",
    )
