"""String functions."""

from __future__ import annotations

import unicodedata

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis.values import Value
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions.arrays import joined
from lakectl.local.athena.functions.python import Failure, function
from lakectl.local.athena.functions.registry import Family
from lakectl.local.athena.sqltypes import VARCHAR, Type

strings = Family("string")


def same_text(kind: Type, *_: Type) -> Type:
    return kind if kind.name == "varchar" else VARCHAR


def many_texts(kind: Type, *_: Type) -> Type:
    return sqltypes.array(same_text(kind))


def _replaced(kind: Type, _: Type, by: Type) -> Type:
    """Each letter, and the places between them, may be replaced."""
    if not (kind.numbers and by.numbers):
        return VARCHAR
    length = kind.numbers[0] + by.numbers[0] * (kind.numbers[0] + 1)
    return sqltypes.varchar(length) if length < 2**31 - 1 else VARCHAR


def _joined(separator: Value, texts: Value) -> str:
    return f"(CASE WHEN {separator.sql} IS NOT NULL THEN {joined(texts.sql, separator)} END)"


def _joined_chars(one: Type, other: Type) -> Type:
    length = one.numbers[0] + other.numbers[0]
    if length > 65536:
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: char({length})")
    return Type("char", (length,))


def _padded(value: Value) -> str:
    """A char with the spaces at its end."""
    return f"rpad({value.sql}, {value.type.numbers[0]}, ' ')"


def _char_as_text(kind: Type, *_: Type) -> Type:
    return sqltypes.varchar(kind.numbers[0])


def _one_letter(kind: Type) -> Type:
    if kind.numbers != (1,):
        raise QueryError(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({kind}) for function codepoint. Expected: codepoint(varchar(1))",
        )
    return sqltypes.INTEGER


strings.add("chr(bigint) -> varchar(1)", "athena_chr({0})")
strings.add("codepoint(varchar) -> integer", "unicode({0})", _one_letter)
strings.add(
    "concat(varchar, varchar...) -> varchar", lambda *parts: "(" + " || ".join(part.sql for part in parts) + ")"
)
strings.add(
    "concat(varbinary, varbinary...) -> varbinary", lambda *parts: "(" + " || ".join(part.sql for part in parts) + ")"
)
strings.add("concat(array(T), array(T)...) -> array(T)", lambda *parts: _lists(*parts))
strings.add(
    "concat(array(T), T) -> array(T)", "(CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN list_append({0}, {1}) END)"
)
strings.add(
    "concat(T, array(T)) -> array(T)", "(CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN list_prepend({0}, {1}) END)"
)
strings.add("concat_ws(varchar, array(varchar)) -> varchar", _joined)
strings.add("concat_ws(varchar, varchar...) -> varchar", "concat_ws({all})")
strings.add("ends_with(varchar, varchar) -> boolean", "ends_with({0}, {1})")
strings.add("starts_with(varchar, varchar) -> boolean", "starts_with({0}, {1})")
strings.add("hamming_distance(varchar, varchar) -> bigint", "athena_hamming_distance({0}, {1})")
strings.add("length(varchar) -> bigint", "length({0})")
strings.add("length(varbinary) -> bigint", "octet_length({0})")
strings.add(
    "levenshtein_distance(varchar, varchar) -> bigint",
    "(CASE WHEN strlen({0}) = length({0}) AND strlen({1}) = length({1}) AND (length({0}) + 1) * (length({1}) + 1) <= "
    "1000000 THEN levenshtein({0}, {1}) "
    "ELSE athena_levenshtein_distance({0}, {1}) END)",
)
strings.add("lower(varchar) -> varchar", "lower({0})", same_text)
strings.add("upper(varchar) -> varchar", "athena_upper({0})", same_text)
for name in ("lpad", "rpad"):
    strings.add(
        f"{name}(varchar, bigint, varchar) -> varchar", f"{name}({{0}}, athena_pad_length({{1}}), athena_pad({{2}}))"
    )
for name in ("trim", "ltrim", "rtrim"):
    strings.add(f"{name}(varchar) -> varchar", f"{name}({{0}}, athena_blank())", same_text)
    strings.add(f"{name}(varchar, varchar) -> varchar", f"{name}({{0}}, {{1}})", same_text)
strings.add("luhn_check(varchar) -> boolean", "athena_luhn_check({0})")
strings.add("normalize(varchar) -> varchar", "athena_normalize({0}, 'NFC')")
strings.add("normalize(varchar, varchar) -> varchar", "athena_normalize({0}, {1})")
strings.add("replace(varchar, varchar) -> varchar", "replace({0}, {1}, '')", same_text)
strings.add(
    "replace(varchar, varchar, varchar) -> varchar",
    "(CASE WHEN {1} = '' THEN athena_interleave({0}, {2}) ELSE replace({0}, {1}, {2}) END)",
    _replaced,
)
strings.add("reverse(varchar) -> varchar", "athena_reverse({0})", same_text)
strings.add("reverse(array(T)) -> array(T)", "list_reverse({0})")
strings.add("soundex(varchar) -> varchar(4)", "athena_soundex({0})")
strings.add("split(varchar, varchar) -> array(varchar)", "string_split({0}, athena_delimiter({1}))", many_texts)
strings.add("split(varchar, varchar, bigint) -> array(varchar)", "athena_split({0}, {1}, {2})", many_texts)
strings.add("split_part(varchar, varchar, bigint) -> varchar", "athena_split_part({0}, {1}, {2})", same_text)
strings.add(
    "split_to_map(varchar, varchar, varchar) -> map(varchar,varchar)",
    "map_from_entries(athena_split_to_map({0}, {1}, {2}))",
)
strings.add("strpos(varchar, varchar) -> bigint", "strpos({0}, {1})")
strings.add("strpos(varchar, varchar, bigint) -> bigint", "athena_strpos({0}, {1}, {2})")
strings.add(
    "substring(varchar, bigint) -> varchar", "athena_substring({0}, {1}, 2147483647)", same_text, names="substr"
)
strings.add(
    "substring(varchar, bigint, bigint) -> varchar", "athena_substring({0}, {1}, {2})", same_text, names="substr"
)
strings.add("translate(varchar, varchar, varchar) -> varchar", "translate({0}, {1}, {2})")
strings.add("to_utf8(varchar) -> varbinary", "encode({0})")
strings.add("from_utf8(varbinary) -> varchar", "athena_from_utf8({0})")


for name, sql in (("lower", "lower({0})"), ("upper", "athena_upper({0})")):
    strings.add(f"{name}(char) -> char", sql, lambda kind: kind)
for name in ("trim", "ltrim", "rtrim"):  # a char's value is held without the spaces at its end
    strings.add(
        f"{name}(char) -> varchar", f"{name}({{0}}, athena_blank())", lambda kind: sqltypes.varchar(kind.numbers[0])
    )
strings.add(
    "length(char) -> bigint", lambda value: f"(CASE WHEN {value.sql} IS NOT NULL THEN {value.type.numbers[0]} END)"
)
for name in ("trim", "ltrim", "rtrim"):
    strings.add(f"{name}(char, varchar) -> varchar", f"rtrim({name}({{0}}, {{1}}), ' ')", _char_as_text)
strings.add(
    "substring(char, bigint) -> varchar",
    lambda value, start: f"athena_substring({_padded(value)}, {start.sql}, 2147483647)",
    _char_as_text,
    names="substr",
)
strings.add(
    "substring(char, bigint, bigint) -> varchar",
    lambda value, start, count: f"athena_substring({_padded(value)}, {start.sql}, {count.sql})",
    _char_as_text,
    names="substr",
)
strings.add("reverse(char) -> char", lambda value: f"rtrim(athena_reverse({_padded(value)}), ' ')", lambda kind: kind)
strings.add("to_utf8(char) -> varbinary", lambda value: f"encode({_padded(value)})")
strings.add("substring(varbinary, bigint) -> varbinary", "athena_bytes_within({0}, {1}, 2147483647)", names="substr")
strings.add("substring(varbinary, bigint, bigint) -> varbinary", "athena_bytes_within({0}, {1}, {2})", names="substr")
for name in ("lpad", "rpad"):
    strings.add(
        f"{name}(varbinary, bigint, varbinary) -> varbinary",
        f"athena_pad_bytes({{0}}, athena_pad_length({{1}}), {{2}}, '{name}')",
    )
    strings.add(
        f"{name}(char, bigint, varchar) -> varchar",
        lambda value, count, pad, name=name: (
            f"{name}({_padded(value)}, athena_pad_length({count.sql}), athena_pad({pad.sql}))"
        ),
    )
strings.add(
    "concat(char, char) -> char",
    lambda one, other: f"rtrim(rpad({one.sql}, {one.type.numbers[0]}, ' ') || {other.sql}, ' ')",
    _joined_chars,
)
strings.refuse("from_utf8(varbinary, varchar)")
strings.refuse("from_utf8(varbinary, bigint)")
strings.refuse("split_to_map(varchar, varchar, varchar, function(varchar,varchar,varchar,varchar))")


@function("athena_bytes_within", "BLOB, BIGINT, BIGINT -> BLOB")
def _bytes_within(data: bytes, start: int, count: int) -> bytes:
    """The first byte is 1; a negative start counts from the end."""
    at = start - 1 if start > 0 else len(data) + start
    return data[at : at + count] if start and 0 <= at < len(data) and count > 0 else b""


@function("athena_pad_bytes", "BLOB, BIGINT, BLOB, VARCHAR -> BLOB")
def _pad_bytes(data: bytes, count: int, pad: bytes, side: str) -> bytes:
    if not pad:
        raise Failure("Padding bytes must not be empty")
    missing = count - len(data)
    if missing <= 0:
        return data[:count]
    filled = (pad * (missing // len(pad) + 1))[:missing]
    return filled + data if side == "lpad" else data + filled


def _lists(*parts: Value) -> str:
    missing = " OR ".join(f"{part.sql} IS NULL" for part in parts)
    made = parts[0].sql
    for part in parts[1:]:
        made = f"list_concat({made}, {part.sql})"
    return f"(CASE WHEN {missing} THEN NULL ELSE {made} END)"


@function("athena_chr", "BIGINT -> VARCHAR")
def _chr(code: int) -> str:
    if not 0 <= code <= 0x10FFFF:
        raise Failure(f"Not a valid Unicode code point: {code}")
    return chr(code)


@function("athena_hamming_distance", "VARCHAR, VARCHAR -> BIGINT")
def _hamming(left: str, right: str) -> int:
    if len(left) != len(right):
        raise Failure("The input strings to hamming_distance function must have the same length")
    return sum(a != b for a, b in zip(left, right, strict=True))


@function("athena_levenshtein_distance", "VARCHAR, VARCHAR -> BIGINT")
def _levenshtein(left: str, right: str) -> int:
    if (len(left) + 1) * (len(right) + 1) > 1_000_000:
        raise Failure("The combined inputs for Levenshtein distance are too large")
    before = list(range(len(right) + 1))
    for row, one in enumerate(left, start=1):
        line = [row]
        for column, other in enumerate(right, start=1):
            line.append(min(before[column] + 1, line[-1] + 1, before[column - 1] + (one != other)))
        before = line
    return before[-1]


@function("athena_luhn_check", "VARCHAR -> BOOLEAN")
def _luhn(text: str) -> bool:
    if not text:
        return False
    if not (text.isascii() and text.isdigit()):
        raise Failure(f"Invalid number: '{text}'")
    digits = [int(digit) for digit in reversed(text)]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


@function("athena_normalize", "VARCHAR, VARCHAR -> VARCHAR")
def _normalize(text: str, form: str) -> str:
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise Failure(f"Normalization form must be one of [NFD, NFC, NFKD, NFKC]: {form}")
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


@function("athena_interleave", "VARCHAR, VARCHAR -> VARCHAR")
def _interleave(text: str, replacement: str) -> str:
    """Replacing nothing puts the replacement around every letter."""
    return replacement + "".join(letter + replacement for letter in text)


@function("athena_reverse", "VARCHAR -> VARCHAR")
def _reverse(text: str) -> str:
    return text[::-1]


_CODES = {
    letter: code for code, letters in enumerate(("BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"), 1) for letter in letters
}


@function("athena_soundex", "VARCHAR -> VARCHAR")
def _soundex(text: str) -> str:
    letters = [letter for letter in text.upper() if letter.isalpha()]
    if any(not letter.isascii() for letter in letters):
        raise Failure(f"The character is not mapped: {text}")
    if not letters:
        return ""
    made, last = letters[0], _CODES.get(letters[0])
    for letter in letters[1:]:
        code = _CODES.get(letter)
        if code is not None and code != last:
            made += str(code)
        if letter not in "HW":
            last = code
    return made[:4].ljust(4, "0")


@function("athena_split", "VARCHAR, VARCHAR, BIGINT -> VARCHAR[]")
def _split(text: str, delimiter: str, limit: int) -> list[str]:
    if limit <= 0:
        raise Failure("Limit must be positive")
    if limit >= 2**31:
        raise Failure("Limit is too large")
    if not delimiter:
        raise Failure("The delimiter may not be the empty string")
    return text.split(delimiter, limit - 1)


@function("athena_split_part", "VARCHAR, VARCHAR, BIGINT -> VARCHAR")
def _split_part(text: str, delimiter: str, index: int) -> str | None:
    if index <= 0:
        raise Failure("Index must be greater than zero")
    parts = text.split(delimiter) if delimiter else list(text)
    return parts[index - 1] if index <= len(parts) else None


@function("athena_split_to_map", "VARCHAR, VARCHAR, VARCHAR -> STRUCT(key VARCHAR; value VARCHAR)[]")
def _split_to_map(text: str, entries: str, pairs: str) -> list[dict[str, str]]:
    if not entries or not pairs:
        raise Failure("entryDelimiter and keyValueDelimiter must not be empty")
    if entries == pairs:
        raise Failure("entryDelimiter and keyValueDelimiter must not be the same")
    found: dict[str, str] = {}
    for entry in text.split(entries) if text else []:
        if not entry:
            continue
        key, separator, value = entry.partition(pairs)
        if not separator or pairs in value:
            raise Failure(f"Key-value delimiter must appear exactly once in each entry. Bad input: '{entry}'")
        if key in found:
            raise Failure(
                f"Duplicate keys ({key}) are not allowed. Specifying a lambda to resolve conflicts can avoid this error"
            )
        found[key] = value
    return [{"key": key, "value": value} for key, value in found.items()]


@function("athena_strpos", "VARCHAR, VARCHAR, BIGINT -> BIGINT")
def _strpos(text: str, part: str, instance: int) -> int:
    if instance == 0:
        raise Failure("'instance' must be a positive or negative number.")
    at = -1 if instance > 0 else len(text) + 1
    for _ in range(abs(instance)):
        at = text.find(part, at + 1) if instance > 0 else text.rfind(part, 0, max(0, at + len(part) - 1))
        if at < 0:
            return 0
    return at + 1


@function("athena_from_utf8", "BLOB -> VARCHAR")
def _from_utf8(data: bytes) -> str:
    return data.decode("utf-8", "replace")
