"""The policy of a form that a browser posts to a bucket: what it says, and whether the form keeps to it.

[S3 API reference, "POST Policy" and "Calculating a signature" of browser-based uploads.] No moto in here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lakectl.local.iam import refusals, signature
from lakectl.local.iam.refusals import Refusal, Refused, bad_request
from lakectl.local.iam.signature import Signature

# Fields that the policy says nothing about.
FREE = {"awsaccesskeyid", "signature", "x-amz-signature", "policy", "file"}
IGNORED_PREFIX = "x-ignore-"
SCOPE = signature.SCOPE


def _denied(why: str) -> Refused:
    return Refused(Refusal(f"Invalid according to Policy: {why}"))


def _invalid(why: str) -> Refused:
    return Refused(bad_request(f"Invalid Policy: {why}", "InvalidPolicyDocument", "", ""))


def _missing(field: str) -> Refused:
    told = (
        f"Bucket POST must contain a field named '{field}'.  If it is specified, please check the order of the fields."
    )
    return Refused(bad_request(told, "InvalidArgument", "", ""))


def signed_by(form: Mapping[str, str]) -> Signature:
    """Who signed the form. ``form``: its fields, with lower-case names. Raises Refused."""
    if not form.get("key"):
        raise _missing("key")
    if "policy" not in form:
        raise Refused(refusals.ANONYMOUS)
    token = form.get("x-amz-security-token", "")
    if "x-amz-signature" in form or "x-amz-credential" in form:
        for field in ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"):
            if not form.get(field):
                raise _missing(field)
        scope = SCOPE.fullmatch(form["x-amz-credential"])
        if scope is None or form["x-amz-algorithm"] != signature.ALGORITHM or scope[4] != "s3":
            raise Refused(refusals.INCOMPLETE_QUERY)
        return Signature(scope[1], scope[3], scope[4], 4, form["x-amz-date"], (), form["x-amz-signature"], 0, token)
    for field in ("awsaccesskeyid", "signature"):
        if not form.get(field):
            raise _missing(field)
    return Signature(form["awsaccesskeyid"], version=2, value=form["signature"], expires=0, token=token)


def verify(form: Mapping[str, str], signed: Signature, secret: str) -> None:
    """Compare the signature of the policy. Raises Refused."""
    policy = form["policy"].encode()
    if signed.version == 4:
        key = signature.signing_key(secret, signed.moment[:8], signed.region, "s3")
        computed = hmac.digest(key, policy, "sha256").hex()
    else:
        computed = base64.b64encode(hmac.digest(secret.encode(), policy, "sha1")).decode()
    if not hmac.compare_digest(computed.encode(), signed.value.encode()):
        raise Refused(refusals.MISMATCH)


def check(form: Mapping[str, str], bucket: str, size: int) -> None:
    """Hold the form to its policy. ``size``: bytes of the file. Raises Refused."""
    try:
        policy = json.loads(base64.b64decode(form["policy"]))
    except (binascii.Error, ValueError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(policy, dict):
        raise _invalid("Invalid JSON.")
    expires, conditions = policy.get("expiration"), policy.get("conditions")
    if not isinstance(expires, str):
        raise _invalid("Policy missing expiration.")
    if not isinstance(conditions, list) or not conditions:
        raise _invalid("Policy missing conditions.")
    if _moment(expires) <= datetime.now(UTC):
        raise _denied("Policy expired.")
    values = {**form, "bucket": bucket}
    named = set(FREE)
    for condition in conditions:
        named |= _hold(condition, values, size)
    for field in form:
        if field not in named and not field.startswith(IGNORED_PREFIX):
            raise _denied(f"Extra input fields: {field}")
    if "bucket" not in named:
        raise _denied("Policy Condition failed: the policy does not name the bucket")


def _moment(text: str) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", text):
        raise _invalid(f"Invalid 'expiration' value: '{text}'")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(f"Invalid 'expiration' value: '{text}'") from None


def _hold(condition: Any, values: Mapping[str, str], size: int) -> set[str]:
    """The fields that the condition is about. Raises Refused when it does not hold."""
    failed = _denied(f"Policy Condition failed: {json.dumps(condition)}")
    if isinstance(condition, dict):
        if len(condition) != 1:
            raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
        name, wanted = next(iter(condition.items()))
        if values.get(name.lower(), "") != wanted:
            raise failed
        return {name.lower()}
    if not isinstance(condition, list) or len(condition) != 3 or not isinstance(condition[0], str):
        raise _invalid("Invalid Condition.")
    operator, first, second = condition
    if operator.lower() == "content-length-range":
        _hold_size(first, second, size)
        return set()
    if operator.lower() not in ("eq", "starts-with") or not (isinstance(first, str) and first.startswith("$")):
        raise _invalid(f"Invalid Condition: unknown operation '{operator}'.")
    name = first[1:].lower()
    value = values.get(name)
    if value is None or not isinstance(second, str):
        raise failed
    if not (value == second if operator.lower() == "eq" else value.startswith(second)):
        raise failed
    return {name}


def _hold_size(low: Any, high: Any, size: int) -> None:
    try:
        least, most = int(low), int(high)
    except (TypeError, ValueError):
        raise _invalid("Invalid content-length-range.") from None
    if least < 0 or least > most:
        raise _invalid("Invalid content-length-range.")
    if size < least:
        told = "Your proposed upload is smaller than the minimum allowed size"
        raise Refused(bad_request(told, "EntityTooSmall", "", ""))
    if size > most:
        told = "Your proposed upload exceeds the maximum allowed size"
        raise Refused(bad_request(told, "EntityTooLarge", "", ""))
