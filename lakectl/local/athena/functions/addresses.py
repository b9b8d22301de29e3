"""IP addresses, held as text."""

from __future__ import annotations

import ipaddress
import re

from lakectl.local.athena.functions.python import Failure, function
from lakectl.local.athena.functions.registry import Family

addresses = Family("ipaddress")
addresses.add("contains(varchar, ipaddress) -> boolean", "athena_in_network({0}, {1})")


def plain_address(text: str) -> str:
    """The address as Trino shows it: ``::ffff:1.2.3.4`` is 1.2.3.4. Raises ValueError."""
    found = ipaddress.ip_address(text)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _as_ipv6(text: str) -> int:
    found = ipaddress.ip_address(text)
    return int(found) | (0xFFFF << 32 if found.version == 4 else 0)


@function("athena_in_network", "VARCHAR, VARCHAR -> BOOLEAN")
def _in_network(network: str, address: str) -> bool:
    """https://github.com/trinodb/trino: IpAddressFunctions.contains."""
    host, slash, length = network.partition("/")
    if not slash:
        raise Failure("Invalid CIDR")
    try:
        base = _as_ipv6(host)
    except ValueError:
        raise Failure("Invalid network IP address") from None
    if not re.fullmatch(r"\d+", length):
        raise Failure("Invalid prefix length")
    bits = int(length)
    if ":" not in host:
        if bits > 32 or base & ((1 << (32 - bits)) - 1):
            raise Failure("Invalid CIDR")
        bits += 96
    elif bits > 128:
        raise Failure("Invalid CIDR")
    return base >> (128 - bits) == _as_ipv6(address) >> (128 - bits)


@function("athena_address_bytes", "VARCHAR -> BLOB")
def _address_bytes(text: str) -> bytes:
    return _as_ipv6(text).to_bytes(16, "big")


@function("athena_address_of", "BLOB -> VARCHAR")
def _address_of(data: bytes) -> str:
    if len(data) not in (4, 16):
        raise Failure(f"Invalid IP address binary length: {len(data)}", "INVALID_CAST_ARGUMENT")
    return plain_address(str(ipaddress.ip_address(data)))


@function("athena_ipaddress", "VARCHAR -> VARCHAR")
def _address(text: str) -> str:
    try:
        return plain_address(text)
    except ValueError:
        raise Failure(f"Cannot cast value to IPADDRESS: {text}", "INVALID_CAST_ARGUMENT") from None
