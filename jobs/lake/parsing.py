"""Text to types, as Spark columns, by the patterns and limits of ``lakectl.core.values`` and ``lakectl.core.dates``."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakectl.core import dates, values
from lakectl.spec import model
from lakectl.spec.date_patterns import MONTHS, Pattern

_FIRST, _LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"


def parse(text: Column, column: model.Column) -> Column:
    """The value of cleaned ``text``, NULL when it is none: what ``values.value_of`` says."""
    kind = column.type
    if kind in values.LIMITS:
        # NULL when out of range.
        whole = rf"\A{values.WHOLE[column.decimal_mark]}\z"
        return F.when(_is(text, values.INTEGER), text.cast(kind)).when(
            text.rlike(whole), F.regexp_extract(text, whole, 1).cast(kind)
        )
    if kind == "date":
        return F.coalesce(*(_date(text, pattern) for pattern in dates.patterns(kind, column.formats)))
    if kind == "timestamp":
        return F.coalesce(*(_moment(text, each, column.zone) for each in dates.patterns(kind, column.formats)))
    if kind == "boolean":
        lower = F.lower(text)
        return F.when(lower.isin(*values.TRUE), F.lit(True)).when(lower.isin(*values.FALSE), F.lit(False))
    if kind == "double":
        amount = _plain(text, column).cast("double")
        limit = values.TOO_LARGE if column.decimal_mark == "any" else float("inf")
        return F.when(F.abs(amount) < limit, amount)
    if kind == "string":
        return text
    plain = _plain(text, column)
    return F.when(_is(plain, values.plain_decimal(kind)), plain.cast(kind))


def _plain(text: Column, column: model.Column) -> Column:
    """``text`` with a decimal point and no grouping, NULL when it is no number or could be two."""

    def written(form: values.Form) -> Column:
        if form.ambiguous:
            return F.lit(None).cast("string")
        kept = F.translate(text, form.dropped, "") if form.dropped else text
        return F.translate(kept, form.mark, ".") if form.mark else kept

    first, *others = values.forms(column.type, column.decimal_mark)
    found = F.when(_is(text, first.pattern), written(first))
    return reduce(lambda so_far, form: so_far.when(_is(text, form.pattern), written(form)), others, found)


def clean(text: Column, column: model.Column, nulls: Collection[str] = ()) -> Column:
    """What ``values.clean`` says: trimmed unless it is text; NULL for an empty field and for ``nulls``."""
    trimmed = F.trim(text)
    kept = text if column.type == "string" else trimmed
    has_value = kept != ""
    return F.when(has_value & ~trimmed.isin(*nulls) if nulls else has_value, kept)


def _date(text: Column, pattern: Pattern) -> Column:
    # By parts: casting yyyy-MM-dd is several times faster than parsing by a pattern, and as strict.
    return F.when(_is(text, pattern.regex), _day(_Parts(text, pattern)).cast("date"))


def _moment(text: Column, pattern: Pattern, zone: str) -> Column:
    """A timestamp without a zone, in UTC."""
    part = _Parts(text, pattern)
    clock = [part.padded(name, 2) for name in ("hour", "minute", "second")]
    if "half" in pattern.fields:
        hour = part["hour"].cast("int") % 12 + F.when(F.lower(part["half"]) == "pm", 12).otherwise(0)
        clock[0] = F.lpad(hour.cast("string"), 2, "0")
    fraction = F.rpad(part["fraction"], 6, "0") if "fraction" in pattern.fields else F.lit("0")
    local = F.concat(_day(part), F.lit(" "), F.concat_ws(":", *clock), F.lit("."), fraction)
    moment = to_utc(local.cast("timestamp"), zone)
    if "offset" in pattern.fields:
        offset = part["offset"]
        # +02, +0200 and +02:00.
        digits = F.rpad(F.translate(offset, ":", ""), 5, "0")
        colon = F.concat(F.substring(digits, 1, 3), F.lit(":"), F.substring(digits, 4, 2))
        told = F.concat(local, F.when(offset == "Z", F.lit("Z")).otherwise(colon)).cast("timestamp")
        moment = F.when(offset == "", moment).otherwise(told)
    moment = F.when(moment.between(F.lit(_FIRST).cast("timestamp"), F.lit(_LAST).cast("timestamp")), moment)
    return F.when(_is(text, pattern.regex), moment.cast("timestamp_ntz"))


def to_utc(local: Column, zone: str) -> Column:
    """The instant of a local time (a timestamp as if it were UTC); NULL for one that a clock change skips."""
    if zone == "UTC":
        return local
    moment = F.to_utc_timestamp(local, zone)
    return F.when(F.from_utc_timestamp(moment, zone) == local, moment)


class _Parts:
    """The fields of a text that matches a pattern; by their places where these are fixed, which is faster."""

    def __init__(self, text: Column, pattern: Pattern) -> None:
        self._text = text
        self.pattern = pattern

    def __getitem__(self, field: str) -> Column:
        if field in self.pattern.places:
            return F.substring(self._text, *self.pattern.places[field])
        return F.regexp_extract(self._text, rf"\A(?:{self.pattern.regex})\z", self.pattern.fields[field])

    def padded(self, field: str, width: int) -> Column:
        """Zeros where the text, or the pattern, has no such field."""
        if field not in self.pattern.fields:
            return F.lit("0" * width)
        return self[field] if field in self.pattern.places else F.lpad(self[field], width, "0")


def _day(part: _Parts) -> Column:
    """yyyy-MM-dd."""
    year = F.concat(F.lit("20"), part["year"]) if part.pattern.short_year else part["year"]
    month = part.padded("month", 2)
    if part.pattern.named_month:
        pairs = ((name, f"{number:02}") for number, name in enumerate(MONTHS, 1))
        month = F.create_map(*(F.lit(text) for pair in pairs for text in pair))[F.lower(part["month"])]
    return F.concat_ws("-", year, month, part.padded("day", 2))


def _is(text: Column, pattern: str) -> Column:
    # Java's $ also matches before a line separator at the end (U+0085, U+2028).
    return text.rlike(rf"\A(?:{pattern})\z")
