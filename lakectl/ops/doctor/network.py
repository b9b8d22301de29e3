"""What lies between this machine and the endpoint: proxies, and the difference of the clocks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from botocore.utils import get_environ_proxies

from lakectl.findings import Finding, ok, problem, unchecked, warning

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# AWS refuses a request whose time is more than five minutes from its own (IAM user guide, "Elements of an AWS API
# request signature"); DynamoDB, S3 and others take fifteen.
REFUSED_S, SUSPICIOUS_S = 300, 60


def proxies(endpoint_url: str) -> Finding:
    """Whether calls to ``endpoint_url`` go through a proxy, by the settings that boto3 reads."""
    parts = urlsplit(endpoint_url)
    proxy = get_environ_proxies(endpoint_url).get(parts.scheme)
    if proxy is None:
        return ok("proxies", f"calls to {parts.hostname} go through none")
    shown = _without_password(proxy)
    if parts.hostname in LOOPBACK:
        return warning(
            "proxies",
            f"{parts.scheme.upper()}_PROXY={shown} takes calls to {parts.hostname}, which it can't reach",
            f'export NO_PROXY="{parts.hostname},localhost${{NO_PROXY:+,$NO_PROXY}}"',
        )
    return ok("proxies", f"calls to {parts.hostname} go through {shown}")


def _without_password(proxy: str) -> str:
    parts = urlsplit(proxy)
    return proxy.replace(f"{parts.username}:{parts.password}@", f"{parts.username}:***@") if parts.password else proxy


def clock(headers: Mapping[str, str], now: datetime) -> Finding:
    """``headers`` of an answer that has just come, in lower case; ``now`` has a zone."""
    try:
        theirs = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return unchecked("clock", f"the endpoint's answer has no usable Date header: {headers.get('date')!r}")
    seconds = (now - theirs).total_seconds()
    if abs(seconds) < SUSPICIOUS_S:
        return ok("clock", f"within {SUSPICIOUS_S} s of the endpoint's")
    text = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the endpoint's"
    if abs(seconds) < REFUSED_S:
        return warning("clock", f"{text}; requests are refused from {REFUSED_S} s", "sudo chronyc makestep")
    return problem("clock", f"{text}, so requests are refused", "sudo chronyc makestep")
