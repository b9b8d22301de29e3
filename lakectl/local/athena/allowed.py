"""What a query may consist of: everything else is refused, wherever in the statement it stands.

The parser knows the syntax and the functions of 30 dialects, DuckDB's among them, which can read files, settings and
the environment. So nothing is passed on that is not in these lists.
"""

from __future__ import annotations

import re

from sqlglot import exp

from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.functions import ATHENA_FUNCTIONS
from lakectl.local.athena.statements import position_of

# sqlglot's classes for Athena's syntax
_SYNTAX_NAMES = (
    "Add Alias Aliases All And Any AtTimeZone Between BitString BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Boolean "
    "Bracket CTE Collate Column ColumnDef Cube DPipe DataType DataTypeParam Distinct Div Dot EQ Escape Except Fetch "
    "Filter FormatJson From GT GTE Group GroupingSets Having HexString Identifier IgnoreNulls In Intersect Interval "
    "IntervalSpan Is JSONExtractQuote JSONKeyValue JSONPath JSONPathKey JSONPathRoot JSONPathSubscript "
    "JSONPathWildcard JSONPathSlice JSONPathRecursive JSONPathSelector JSONPathFilter JSONPathScript JSONPathUnion "
    "JSONValue Join Kwarg LT LTE Lambda Lateral Like Limit LimitOptions Literal Mod Mul NEQ National Neg Not Null "
    "NullSafeEQ NullSafeNEQ Offset OnCondition Or Order Ordered OverflowTruncateBehavior Paren RespectNulls Rollup "
    "RowFilter Select Slice Star Sub Subquery Table TableAlias TableSample Tuple UnicodeString Union Unnest Values Var "
    "Version Where Window WindowSpec With WithinGroup"
)
# and for Athena's functions (https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html); a function that
# sqlglot has no class for is checked by its name
_FUNCTION_NAMES = (
    "Abs Acos AnyValue ApproxDistinct ApproxQuantile ArgMax ArgMin Array ArrayAgg ArrayContains ArrayDistinct "
    "ArrayExcept ArrayFilter ArrayFirst ArrayIntersect ArrayLast ArrayMax ArrayMin ArrayPosition ArrayRemove "
    "ArraySize ArraySlice ArraySort ArraySum ArrayToString ArrayUniqueAgg Asin Atan Atan2 Avg BitwiseAndAgg "
    "BitwiseOrAgg BitwiseXorAgg Case Cast Cbrt Ceil Chr Coalesce Concat ConcatWs Corr Cos Cosh Count CountIf CovarPop "
    "CovarSamp CumeDist CurrentDate CurrentTime CurrentTimestamp CurrentTimezone CurrentUser Date DateAdd DateDiff "
    "DateSub DateTrunc Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Decode Degrees DenseRank Encode EndsWith "
    "Exists Exp Extract FirstValue Flatten Floor Format FromBase FromBase32 FromBase64 FromISO8601Date "
    "FromISO8601Timestamp FromISO8601TimestampNanos GenerateSeries Greatest GroupConcat Grouping Hex Hour If IsInf "
    "IsNan JSONArray JSONArrayContains JSONCast JSONExists JSONExtract JSONExtractScalar JSONFormat JSONObject "
    "Kurtosis Lag LastDay LastValue Lead Least Length Levenshtein Ln Localtime Localtimestamp Log LogicalAnd "
    "LogicalOr Lower LowerHex MD5Digest Map MapFromEntries MapKeys Max Min Minute Month Normalize NthValue Ntile "
    "Nullif Pad ParseDatetime ParseJSON PercentRank Pi Pow Quantile Quarter Radians Rand Rank Reduce RegexpCount "
    "RegexpExtract RegexpExtractAll RegexpLike RegexpReplace RegexpSplit RegrIntercept RegrSlope Repeat Replace "
    "Reverse Round RowNumber SHA SHA2Digest Second Shuffle Sign Sin Sinh Skewness Soundex Split SplitPart Sqrt "
    "StartsWith Stddev StddevPop StddevSamp StrPosition StrToMap StrToTime Struct Substring Sum Tan Tanh TimeToStr "
    "TimeToUnix TimestampTrunc ToBase32 ToBase64 Transform Translate Trim Trunc Try TryCast Typeof Unhex UnixToTime "
    "Upper Uuid Variance VariancePop Week WeekOfYear WidthBucket Year YearOfWeek"
)
_ALLOWED = frozenset((*_SYNTAX_NAMES.split(), *_FUNCTION_NAMES.split()))


def check(tree: exp.Expr, sql: str) -> None:
    """Raise QueryError for the first table function, function or syntax in ``tree`` that Athena does not have."""
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
            raise _table_function(node.this, sql)
        if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Unnest | exp.Subquery):
            raise _table_function(node.this, sql)
        if isinstance(node, exp.Anonymous):
            if node.name.lower() not in ATHENA_FUNCTIONS:
                raise _unknown("Function", node.name, sql)
        elif kind not in _ALLOWED:
            if isinstance(node, exp.Func):
                raise _unknown("Function", _name(node, sql), sql)
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).upper()
            raise QueryError("NOT_SUPPORTED", f"{words} in a query is not supported by the local Athena")


def _table_function(node: exp.Expr, sql: str) -> QueryError:
    return _unknown("Table function", node.name if isinstance(node, exp.Anonymous) else _name(node, sql), sql)


def _name(node: exp.Expr, sql: str) -> str:
    """A function's name as the statement spells it: sqlglot keeps the class, and the class has several names."""
    names = node.sql_names() if isinstance(node, exp.Func) else [node.key]
    return next((name for name in names if re.search(rf"\b{re.escape(name)}\b", sql, re.I)), names[0])


def _unknown(what: str, name: str, sql: str) -> QueryError:
    found = re.search(rf"\b{re.escape(name)}\b", sql, re.I)
    position = position_of(sql, found.start()) if found else None
    return QueryError("FUNCTION_NOT_FOUND", f"{what} '{name.lower()}' not registered", position)
