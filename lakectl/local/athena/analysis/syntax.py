"""Which parts a clause may have: a part that is not listed has no meaning here, and is refused.

sqlglot reads the syntax of 30 dialects. Without this list, a clause of another dialect would be passed over.
"""

from __future__ import annotations

import re

from sqlglot import exp

from lakectl.local.athena.analysis.values import start_of, unsupported

_BINARY = ("Add And Div DPipe Dot EQ Escape Except Extract Filter GT GTE Intersect Is JSONKeyValue Kwarg LT LTE Like "
           "Mod Mul NEQ NullSafeEQ NullSafeNEQ Or Sub Union IntervalSpan")  # fmt: skip
_ONE = "Any Boolean Exists From HexString IgnoreNulls Neg Not Paren RespectNulls Var Where Having"
_MANY = "Array Cube Distinct GroupingSets Rollup Tuple"
_PARTS: dict[str, str] = {
    **dict.fromkeys(_BINARY.split(), "this expression"),
    **dict.fromkeys(_ONE.split(), "this"),
    **dict.fromkeys(_MANY.split(), "expressions"),
    "Alias": "this alias",
    "Aliases": "this expressions",
    "Anonymous": "this expressions encoding on_empty on_error on_null quotes returning wrapper passing unique",
    "AtTimeZone": "this zone",
    "Between": "this low high",
    "Bracket": "this expressions",
    "CTE": "this alias materialized",
    "Case": "this ifs default",
    "Cast": "this to",
    "Column": "this table db catalog",
    "Div": "this expression typed safe",
    "DPipe": "this expression safe",
    "Except": "this expression distinct order limit offset with_",
    "Intersect": "this expression distinct order limit offset with_",
    "Union": "this expression distinct order limit offset with_",
    "Fetch": "count direction limit_options",
    "FormatJson": "this encoding",
    "Group": "expressions all",
    "GroupConcat": "this separator on_overflow",
    "If": "this true false",
    "In": "this expressions query",
    "Interval": "this unit",
    "Join": "this kind side method on using",
    "Lambda": "this expressions",
    "Lateral": "this alias",
    "Like": "this expression negate",
    "Limit": "expression",
    "LimitOptions": "rows with_ties",
    "Literal": "this is_string",
    "Normalize": "this form",
    "Offset": "expression",
    "Order": "this expressions",
    "Ordered": "this desc nulls_first",
    "Select": "expressions distinct from_ joins where group having order limit offset windows with_",
    "Star": "",
    "StrPosition": "this substr",
    "Subquery": "this alias joins with_ order limit offset sample",
    "Substring": "this start length",
    "Table": "this db catalog alias joins sample version",
    "TableAlias": "this columns",
    "TableSample": "method percent",
    "Trim": "this expression position",
    "TryCast": "this to safe",
    "UnicodeString": "this escape",
    "Unnest": "expressions alias offset joins",
    "Values": "expressions alias order limit offset with_ joins",
    "Version": "this expression kind",
    "Window": "this alias order over partition_by spec",
    "WindowSpec": "kind start start_side end end_side",
    "With": "expressions recursive",
}
_ALLOWED = {name: frozenset(parts.split()) for name, parts in _PARTS.items()}


def check(tree: exp.Expr, sql: str) -> None:
    """Raise NOT_SUPPORTED for a part of a clause that has no meaning here."""
    for node in tree.walk():
        allowed = _ALLOWED.get(type(node).__name__)
        if allowed is None:
            continue
        for part, value in node.args.items():
            if part not in allowed and value is not None and value is not False and value != []:
                words = re.sub(r"[_ ]+", " ", part).strip().upper()
                clause = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()
                raise unsupported(f"{words} in {clause}", start_of(node, sql))
