"""Binary, URL, UUID and IP address functions, and conversions to and from text."""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import hashlib
import hmac
import re
import struct
import uuid
import zlib
from urllib.parse import SplitResult, quote_plus, unquote, unquote_plus, urlsplit

from lakectl.local.athena import sqltypes
from lakectl.local.athena.functions.python import Failure, function
from lakectl.local.athena.functions.registry import Family
from lakectl.local.athena.sqltypes import VARCHAR, Type

binaries, urls, uuids, conversions = (Family(page) for page in ("binary", "url", "uuid", "conversion"))


def _same(kind: Type, *_: Type) -> Type:
    return kind


def _encoded(kind: Type) -> Type:
    """Each letter may become four bytes of three letters."""
    return sqltypes.varchar(kind.numbers[0] * 12) if kind.numbers and kind.numbers[0] * 12 < 2**31 - 1 else VARCHAR


for name in ("md5", "sha1", "sha256"):
    binaries.add(f"{name}(varbinary) -> varbinary", f"unhex({name}({{0}}))")
binaries.add("sha512(varbinary) -> varbinary", "athena_sha512({0})")
binaries.add("crc32(varbinary) -> bigint", "athena_crc32({0})")
binaries.add("murmur3(varbinary) -> varbinary", "athena_murmur3({0})")
for name in ("md5", "sha1", "sha256", "sha512"):
    binaries.add(f"hmac_{name}(varbinary, varbinary) -> varbinary", f"athena_hmac({{0}}, {{1}}, '{name}')")
binaries.add("to_hex(varbinary) -> varchar", "hex({0})")
for name in ("base64", "base64url", "base32"):
    binaries.add(f"to_{name}(varbinary) -> varchar", f"athena_to_{name}({{0}})")
    binaries.add(f"from_{name}(varchar) -> varbinary", f"athena_from_text({{0}}, '{name}')")
    binaries.add(f"from_{name}(varbinary) -> varbinary", f"athena_from_text(athena_from_utf8({{0}}), '{name}')")
binaries.add("from_hex(varchar) -> varbinary", "athena_from_hex({0})")
binaries.add("from_hex(varbinary) -> varbinary", "athena_from_hex(athena_from_utf8({0}))")
binaries.add("reverse(varbinary) -> varbinary", "athena_reverse_bytes({0})")
for bits, kind in ((32, "integer"), (64, "bigint")):
    binaries.add(f"to_big_endian_{bits}({kind}) -> varbinary", f"athena_to_big_endian({{0}}, {bits})")
    binaries.add(
        f"from_big_endian_{bits}(varbinary) -> {kind}", f"CAST(athena_from_big_endian({{0}}, {bits}) AS {kind})"
    )
for bits, kind in ((32, "real"), (64, "double")):
    binaries.add(f"to_ieee754_{bits}({kind}) -> varbinary", f"athena_to_ieee754(CAST({{0}} AS DOUBLE), {bits})")
    binaries.add(f"from_ieee754_{bits}(varbinary) -> {kind}", f"CAST(athena_from_ieee754({{0}}, {bits}) AS {kind})")
for part in ("protocol", "host", "path", "query", "fragment"):
    urls.add(f"url_extract_{part}(varchar) -> varchar", f"athena_url_part({{0}}, '{part}')", _same)
urls.add("url_extract_port(varchar) -> bigint", "CAST(athena_url_part({0}, 'port') AS BIGINT)")
urls.add("url_extract_parameter(varchar, varchar) -> varchar", "athena_url_parameter({0}, {1})", _same)
urls.add("url_encode(varchar) -> varchar", "athena_url_encode({0})", _encoded)
urls.add("url_decode(varchar) -> varchar", "athena_url_decode({0})", _same)
uuids.add("uuid() -> uuid", "CAST(uuid() AS VARCHAR)")
conversions.add("parse_data_size(varchar) -> decimal(38,0)", "CAST(athena_parse_data_size({0}) AS DECIMAL(38,0))")
conversions.add("format_number(bigint) -> varchar", "athena_format_number(CAST({0} AS DOUBLE))")
conversions.add("format_number(double) -> varchar", "athena_format_number({0})")


@function("athena_sha512", "BLOB -> BLOB")
def _sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


@function("athena_crc32", "BLOB -> BIGINT")
def _crc32(data: bytes) -> int:
    return zlib.crc32(data)


@function("athena_hmac", "BLOB, BLOB, VARCHAR -> BLOB")
def _hmac(data: bytes, key: bytes, name: str) -> bytes:
    return hmac.new(key, data, name).digest()


_MASK = (1 << 64) - 1
_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F


def _turned(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & _MASK


def _mixed(value: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = ((value ^ (value >> 33)) * factor) & _MASK
    return value ^ (value >> 33)


@function("athena_murmur3", "BLOB -> BLOB")
def _murmur3(data: bytes) -> bytes:
    """MurmurHash3_x64_128 of seed 0."""
    one = other = 0
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        k1, k2 = struct.unpack_from("<QQ", data, at)
        one ^= (_turned((k1 * _C1) & _MASK, 31) * _C2) & _MASK
        one = ((_turned(one, 27) + other) * 5 + 0x52DCE729) & _MASK
        other ^= (_turned((k2 * _C2) & _MASK, 33) * _C1) & _MASK
        other = ((_turned(other, 31) + one) * 5 + 0x38495AB5) & _MASK
    tail = data[whole:].ljust(16, b"\0")
    k1, k2 = struct.unpack("<QQ", tail)
    other ^= (_turned((k2 * _C2) & _MASK, 33) * _C1) & _MASK
    one ^= (_turned((k1 * _C1) & _MASK, 31) * _C2) & _MASK
    one, other = one ^ len(data), other ^ len(data)
    one = (one + other) & _MASK
    other = (other + one) & _MASK
    one, other = _mixed(one), _mixed(other)
    one = (one + other) & _MASK
    return struct.pack("<QQ", one, (other + one) & _MASK)


@function("athena_to_base64", "BLOB -> VARCHAR")
def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@function("athena_to_base64url", "BLOB -> VARCHAR")
def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


@function("athena_to_base32", "BLOB -> VARCHAR")
def _to_base32(data: bytes) -> str:
    return base64.b32encode(data).decode()


@function("athena_from_text", "VARCHAR, VARCHAR -> BLOB")
def _from_base(text: str, name: str) -> bytes:
    """Padding may be left out."""
    group = 8 if name == "base32" else 4
    padded = text.rstrip("=")
    padded += "=" * (-len(padded) % group)
    try:
        if name == "base32":
            return base64.b32decode(padded)
        return base64.b64decode(padded, altchars=b"-_" if name == "base64url" else None, validate=True)
    except (binascii.Error, ValueError):
        raise Failure(f"Input is not {name}: {text}") from None


@function("athena_from_hex", "VARCHAR -> BLOB")
def _from_hex(text: str) -> bytes:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text) is None:
        raise Failure(f"Invalid input: {text}")
    return bytes.fromhex(text)


@function("athena_reverse_bytes", "BLOB -> BLOB")
def _reversed(data: bytes) -> bytes:
    return data[::-1]


@function("athena_to_big_endian", "BIGINT, BIGINT -> BLOB")
def _big_endian(value: int, bits: int) -> bytes:
    return value.to_bytes(bits // 8, "big", signed=True)


@function("athena_from_big_endian", "BLOB, BIGINT -> BIGINT")
def _from_big_endian(data: bytes, bits: int) -> int:
    if len(data) != bits // 8:
        raise Failure(f"expected {bits // 8}-byte input, but got instead: {len(data)}")
    return int.from_bytes(data, "big", signed=True)


@function("athena_to_ieee754", "DOUBLE, BIGINT -> BLOB")
def _to_ieee754(value: float, bits: int) -> bytes:
    return struct.pack(">f" if bits == 32 else ">d", value)


@function("athena_from_ieee754", "BLOB, BIGINT -> DOUBLE")
def _from_ieee754(data: bytes, bits: int) -> float:
    if len(data) != bits // 8:
        raise Failure(f"Input floating-point value must be exactly {bits // 8} bytes long")
    return float(struct.unpack(">f" if bits == 32 else ">d", data)[0])


@function("athena_url_part", "VARCHAR, VARCHAR -> VARCHAR")
def _url_part(url: str, part: str) -> str | None:
    """What java.net.URI finds; NULL of what is no URI, and the empty text of a part that is not there."""
    found = _split_url(url)
    if found is None:
        return None
    scheme, rest = found
    if part == "protocol":
        return scheme
    opaque = bool(scheme) and not rest.netloc and not rest.path.startswith("/")  # as mailto:a@example.com
    if part == "port":
        port = re.search(r":(\d+)$", rest.netloc)
        return port[1] if port else None
    if part == "host":
        return re.sub(r":\d*$", "", rest.netloc.rpartition("@")[2])
    if opaque and part != "fragment":
        return ""
    return unquote({"path": rest.path, "query": rest.query, "fragment": rest.fragment}[part])


_NO_URI = re.compile(r'[\x00-\x20\x7f"<>\\^`{|}]|%(?![0-9a-fA-F]{2})|^:|#.*#')


def _split_url(url: str) -> tuple[str, SplitResult] | None:
    """(protocol as written, all parts); None of what java.net.URI does not take."""
    try:
        found = urlsplit(url)
    except ValueError:
        return None
    if _NO_URI.search(url):
        return None
    return (url.partition(":")[0] if found.scheme else ""), found


@function("athena_url_parameter", "VARCHAR, VARCHAR -> VARCHAR")
def _url_parameter(url: str, name: str) -> str | None:
    found = _split_url(url)
    if found is None or not found[1].query:
        return None
    pairs = [pair.partition("=") for pair in found[1].query.split("&")]
    return next((_url_decode(value) for key, _, value in pairs if key == name), None)


@function("athena_url_encode", "VARCHAR -> VARCHAR")
def _url_encode(text: str) -> str:
    return quote_plus(text, safe="*-._").replace("~", "%7E")


@function("athena_url_decode", "VARCHAR -> VARCHAR")
def _url_decode(text: str) -> str:
    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        raise Failure(f"Illegal hex characters in escape (%) pattern: {text}")
    return unquote_plus(text)


@function("athena_uuid_text", "VARCHAR -> VARCHAR")
def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise Failure(f"Cannot cast value to UUID: {text}", "INVALID_CAST_ARGUMENT") from None


@function("athena_uuid_of", "BLOB -> VARCHAR")
def _uuid_of(data: bytes) -> str:
    if len(data) != 16:
        raise Failure(f"Invalid UUID binary length: {len(data)}", "INVALID_CAST_ARGUMENT")
    return str(uuid.UUID(bytes=data))


@function("athena_zone_name", "VARCHAR -> VARCHAR")
def _zone(text: str) -> str:
    from lakectl.local.athena.analysis.literals import zone_name

    name = zone_name(text)
    if name is None:
        raise Failure(f"'{text}' is not a valid time zone")
    return name


def _zoned_parts(text: str) -> tuple[datetime.datetime, int, str]:
    """(local time in whole seconds, picoseconds, zone)."""
    from lakectl.local.athena.analysis.literals import TIMESTAMP, zone_name

    bad = Failure(f"Value cannot be cast to timestamp with time zone: {text}", "INVALID_CAST_ARGUMENT")
    found = TIMESTAMP.fullmatch(text)
    name = None
    if found is not None:
        name = "UTC" if found[4] is None and found[5] is None else zone_name(found[4] or found[5])
    if found is None or name is None:
        raise bad
    if not found[1][:4].isdigit() or found[1][4] != "-":
        raise Failure(
            f"a year beyond 9999 is not supported by the local Athena; it works on AWS: {text}", "NOT_SUPPORTED"
        )
    clock = found[2] or "00:00:00"
    try:
        day = datetime.datetime.strptime(
            f"{found[1]} {clock}"[:30], "%Y-%m-%d %H:%M" + (":%S" if clock.count(":") > 1 else "")
        )
    except ValueError:
        raise bad from None
    return day, int((found[3] or "").ljust(12, "0")), name


@function("athena_zoned_instant", "VARCHAR, BIGINT -> TIMESTAMP")
def _zoned_instant(text: str, digits: int) -> datetime.datetime:
    """In UTC, rounded half up to ``digits`` of a second, at most six."""
    from lakectl.local.athena.analysis.literals import utc_of

    day, picoseconds, zone = _zoned_parts(text)
    unit = 10 ** (12 - digits)
    return utc_of(day, zone) + datetime.timedelta(microseconds=(picoseconds + unit // 2) // unit * unit // 10**6)


@function("athena_zoned_floor", "VARCHAR -> TIMESTAMP")
def _zoned_floor(text: str) -> datetime.datetime:
    """In UTC, without what is behind the microseconds."""
    from lakectl.local.athena.analysis.literals import utc_of

    day, picoseconds, zone = _zoned_parts(text)
    return utc_of(day, zone) + datetime.timedelta(microseconds=picoseconds // 10**6)


@function("athena_zoned_zone", "VARCHAR -> VARCHAR")
def _zoned_zone(text: str) -> str:
    return _zoned_parts(text)[2]


_SIZES = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


@function("athena_parse_data_size", "VARCHAR -> VARCHAR")
def _data_size(text: str) -> str:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", text)
    if found is None or found[2] not in _SIZES:
        raise Failure(f"Invalid data size: '{text}'")
    with decimal.localcontext(prec=200):
        return str(int(decimal.Decimal(found[1]) * 1024 ** _SIZES.index(found[2])))


@function("athena_format_number", "DOUBLE -> VARCHAR")
def _format_number(value: float) -> str:
    """https://trino.io/docs/current/functions/conversion.html: a unit symbol, and up to three digits."""
    size, unit = abs(value), ""
    for unit in ("", "K", "M", "B", "T", "Q"):
        if size < 1000 or unit == "Q":
            break
        size /= 1000
    places = 2 if size < 10 or (size >= 1000 and value < 0) else 1 if size < 100 else 0
    shown = f"{size:.{places}f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{'-' if value < 0 else ''}{shown}{unit}"
