"""Random lakes that are valid: sources of all formats and loading modes, with lookups, SQL and partitions.

Others build on them: :func:`plain_lakes` draws what stands in the YAML, as plain values; :func:`lake_specs` the
specification of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from hypothesis import strategies as st

from lakectl.spec import expressions, parsing, yaml_items
from lakectl.spec.model import BUILT_IN_CHECKS, POLICIES, SIMPLE_TYPES, LakeSpec, policies_of
from lakectl.spec.relations import TRANSFORMS

SOURCES = ("rides", "drivers", "zones", "pings", "Companies")
WORDS = ("id", "No", "amount", "state", "place", "day", "moment", "flag", "name_2", "x", "value")
DATES = ("yyyy-MM-dd", "dd/MM/yyyy", "d.M.yyyy", "yyyyMMdd")
TIMESTAMPS = ("yyyy-MM-dd HH:mm:ss", "dd/MM/yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd HH:mm:ss.SSS")
ZONES = ("UTC", "Europe/Vienna", "America/New_York")
# Type -> expressions over a column {c} of it.
VALUES = {
    "int": ("{c} + 1", "abs({c})", "{c} % 7"),
    "bigint": ("{c} - 1", "{c} * 3", "CAST({c} AS double) / 7"),
    "double": ("{c} * 2e0", "round({c}, 2)", "coalesce({c}, 0)"),
    "decimal": ("abs({c})", "round({c}, 1)", "CAST({c} AS double)"),
    "boolean": ("NOT {c}", "CASE WHEN {c} THEN 1 ELSE 0 END"),
    "date": ("year({c})", "date_trunc('month', {c})", "{c} + INTERVAL '7' DAY"),
    "timestamp": ("hour({c})", "CAST({c} AS date)"),
    "string": ("upper({c})", "coalesce({c}, 'none')", "substr({c}, 1, 3)", "length({c})", "{c} || 'é''s'"),
}
PREDICATES = {
    "boolean": ("{c}", "{c} IS NOT NULL"),
    "date": ("{c} >= DATE '2020-01-01'", "year({c}) > 1999"),
    "timestamp": ("{c} >= TIMESTAMP '2020-01-01 00:00:00'",),
    "string": ("{c} <> ''", "{c} LIKE 'a%'", "length({c}) < 100"),
}
NUMBERS = ("{c} > 0", "{c} >= 0")


@st.composite
def types(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from((*SIMPLE_TYPES, "decimal")))
    if kind != "decimal":
        return kind
    precision = draw(st.integers(1, 38))
    return f"decimal({precision},{draw(st.integers(0, precision))})"


@st.composite
def columns(draw: st.DrawFn, kind: str) -> Any:
    """A column of this type: the type alone, or with what it can say beside it."""
    found: dict[str, Any] = {"type": kind}
    if draw(st.booleans()):
        found["required"] = draw(st.booleans())
    if kind in ("date", "timestamp") and draw(st.booleans()):
        patterns = DATES if kind == "date" else TIMESTAMPS
        chosen = draw(st.lists(st.sampled_from(patterns), min_size=1, max_size=3, unique=True))
        found["format"] = chosen[0] if len(chosen) == 1 else chosen
    if kind == "timestamp" and not all("XXX" in pattern for pattern in [found.get("format", "")]):
        found["zone"] = draw(st.sampled_from(ZONES))
    if kind == "double" or kind.startswith("decimal"):
        found["decimal_mark"] = draw(st.sampled_from((".", ",", "any")))
    if draw(st.booleans()):
        found["description"] = draw(st.text(st.characters(codec="utf-8", categories=("L", "Nd")), min_size=1))
    return kind if set(found) == {"type"} else found


@st.composite
def files(draw: st.DrawFn, formats: Sequence[str]) -> dict[str, Any]:
    kind = draw(st.sampled_from(tuple(formats)))
    found: dict[str, Any] = {"format": kind}
    if kind == "csv" and draw(st.booleans()):
        found["delimiter"] = draw(st.sampled_from((",", ";", "|", "\t")))
        found["quote"] = draw(st.sampled_from(('"', "'")))
        found["encoding"] = draw(st.sampled_from(("utf-8", "iso-8859-1", "windows-1252")))
    if kind != "parquet" and draw(st.booleans()):
        found["compression"] = draw(st.sampled_from(("auto", "none", "gzip")))
        found["nulls"] = draw(st.lists(st.sampled_from(("NA", "-", "null", "no")), unique=True))
    return found


def _pick(draw: st.DrawFn, known: dict[str, str], by_type: dict[str, tuple[str, ...]], other: tuple[str, ...]) -> str:
    name = draw(st.sampled_from(sorted(known)))
    return draw(st.sampled_from(by_type.get(known[name].partition("(")[0], other))).format(c=name)


@st.composite
def _partitions(draw: st.DrawFn, known: dict[str, str]) -> list[str]:
    found = []
    for name in draw(st.lists(st.sampled_from(sorted(known)), max_size=2, unique=True)):
        fitting = [each for each, kinds in TRANSFORMS.items() if known[name].partition("(")[0] in kinds]
        transform = draw(st.sampled_from(fitting))
        number = f"{draw(st.integers(1, 64))}, " if transform in ("bucket", "truncate") else ""
        found.append(f"{transform}({number}{name})")
    return found


@st.composite
def plain_lakes(
    draw: st.DrawFn,
    max_sources: int = 4,
    formats: Sequence[str] = ("csv", "jsonl", "parquet"),
    loadings: Sequence[str] = ("upsert", "snapshot", "append"),
) -> dict[str, Any]:
    """The keys ``sources``, ``checks`` and ``schema_evolution`` of a configuration, as plain values."""
    names = draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=max_sources, unique=True))
    sources: dict[str, Any] = {}
    silver: dict[str, dict[str, str]] = {}  # what each source's table has, in lower case
    for name in names:
        known = {
            word.lower(): draw(types()) for word in draw(st.lists(st.sampled_from(WORDS), min_size=1, unique=True))
        }
        own = list(known)
        loading = draw(st.sampled_from(tuple(loadings)))
        source: dict[str, Any] = {
            "columns": {draw(st.sampled_from((word, word.upper()))): draw(columns(known[word])) for word in own},
            "loading": loading,
            "starts_run": draw(st.booleans()),
            "file": draw(files(formats)),
        }
        if loading != "append":
            source["keys"] = draw(st.lists(st.sampled_from(own), min_size=1, max_size=3, unique=True))
        source["lookups"] = {}
        for other, theirs in silver.items():
            keys = [key.lower() for key in sources[other].get("keys", ())]
            on = [next((column for column in own if known[column] == theirs[key]), None) for key in keys]
            if keys and None not in on and draw(st.booleans()):
                taken = draw(st.lists(st.sampled_from(sorted(theirs)), min_size=1, max_size=3, unique=True))
                ours = {column: f"{other.lower()}_{column}" for column in taken}
                source["lookups"][other] = {
                    "on": on, "take": [ours], "missing": draw(st.sampled_from(POLICIES)),
                }  # fmt: skip
                known.update({ours[column]: theirs[column] for column in taken})
        source["derive"] = {}
        for number in range(draw(st.integers(0, 2))):
            sql = _pick(draw, known, VALUES, ())
            kind = expressions.typed(sql, known).kind
            source["derive"][f"derived_{number}"] = {"type": kind, "sql": sql}
            known[f"derived_{number}"] = kind
        source["checks"] = {
            f"check_{number}": {
                "sql": _pick(draw, known, PREDICATES, NUMBERS),
                "otherwise": draw(st.sampled_from(POLICIES)),
            }
            for number in range(draw(st.integers(0, 2)))
        }
        source["checks"].update(draw(_policies()))
        source["partition_by"] = draw(_partitions(known))
        sources[name], silver[name] = source, known
    evolution = draw(st.sampled_from(("fail", "ignore", "add")))
    return {"sources": sources, "checks": draw(_policies()), "schema_evolution": evolution}


@st.composite
def _policies(draw: st.DrawFn) -> dict[str, str]:
    checks = draw(st.lists(st.sampled_from(tuple(BUILT_IN_CHECKS)), max_size=3, unique=True))
    return {check: draw(st.sampled_from(policies_of(check))) for check in checks}


def spec_of(plain: dict[str, Any]) -> LakeSpec:
    """The specification of a lake of :func:`plain_lakes`, by way of YAML."""
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    document = yaml_items.load(text, "lake.yaml")
    return parsing.parse_lake(document, lambda: document.mapping()["sources"])


def lake_specs(**limits: Any) -> st.SearchStrategy[LakeSpec]:
    """Specifications; ``limits`` are those of :func:`plain_lakes`."""
    return plain_lakes(**limits).map(spec_of)
