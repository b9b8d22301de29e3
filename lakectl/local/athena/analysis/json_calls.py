"""json_exists, json_value, json_query, json_array and json_object.

https://trino.io/docs/current/functions/json.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from lakectl.local.athena import sqltypes
from lakectl.local.athena.analysis import casts, json_casts, texts
from lakectl.local.athena.analysis.values import Value, text, type_of, unsupported
from lakectl.local.athena.dialect import UNNAMED
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.sqltypes import BOOLEAN, VARBINARY, VARCHAR, Type

if TYPE_CHECKING:
    from lakectl.local.athena.analysis.expressions import Expressions

_MAKERS = ("json_query", "json_array", "json_object")


def call(each: Expressions, node: exp.Anonymous) -> Value:
    name = node.name.lower()
    if name == "json_array":
        items = [_member(each, item) for item in node.expressions]
        if _is(node, "on_null", "NULL"):
            items = [f"coalesce({item} || '', 'null')" for item in items]
        kept = f"list_filter(CAST([{', '.join(items)}] AS VARCHAR[]), lambda j: j IS NOT NULL)"
        return _returned(each, node, f"('[' || array_to_string({kept}, ',') || ']')")
    if name == "json_object":
        return _object(each, node)
    return _path_call(each, node, name)


def _object(each: Expressions, node: exp.Anonymous) -> Value:
    keys, values = [], []
    for pair in node.expressions:
        key, value = each.value(pair.this), _member(each, pair.expression)
        if key.type.name != "varchar":
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", f"json_object key must be a character string: {key.type}", each.start(pair)
            )
        if not _is(node, "on_null", "ABSENT"):
            value = f"coalesce({value} || '', 'null')"
        keys.append(f"athena_json_string({key.sql})")
        values.append(value)
    return _returned(each, node, f"athena_json_object({_packed(keys)}, {_packed(values)})")


def _is(node: exp.Expr, clause: str, word: str) -> bool:
    found = node.args.get(clause)
    return isinstance(found, exp.Var) and found.name == word


def _member(each: Expressions, node: exp.Expr) -> str:
    """A value as JSON text; NULL for NULL."""
    if isinstance(node, exp.FormatJson):
        return f"athena_json_tree({_input(each, node)})"
    value = each.value(node)
    if value.type.name == "unknown":
        return "CAST(NULL AS VARCHAR)"
    if isinstance(node, exp.Anonymous) and node.name.lower() in _MAKERS:
        return value.sql
    if value.type.is_number or value.type.name in ("boolean", "varchar", "json"):
        return json_casts.to_json(value.sql, value.type)
    if value.type.items or value.type.name == "varbinary":
        raise unsupported(f"{value.type} in a JSON constructor", each.start(node))
    return f"athena_json_string({texts.plain(value)})"


def _packed(items: list[str]) -> str:
    """Texts as one, with a character between that no JSON has; NULL is another.

    ``|| ''`` copies: DuckDB's COALESCE loses the memory of a text that a function in Python made.
    """
    if not items:
        return "''"
    return "(" + " || chr(30) || ".join(f"coalesce({item} || '', chr(29))" for item in items) + ")"


def _named(encoding: str) -> str:
    return "UTF8" if encoding == UNNAMED else encoding


def _passed(each: Expressions, node: exp.Expr) -> str:
    """A value for a path, as JSON text; NULL: no value at all."""
    if isinstance(node, exp.FormatJson):
        return _input(each, node)  # read where the path is, so that ON ERROR sees what is no JSON
    kind = each.value(node).type
    if not (kind.is_number or kind.name in ("boolean", "varchar", "json", "unknown")):
        raise unsupported(f"{kind} in PASSING", each.start(node))
    return f"coalesce({_member(each, node)} || '', 'null')"


def _input(each: Expressions, node: exp.Expr) -> str:
    """The JSON text that a path is applied to."""
    encoding = UNNAMED
    if isinstance(node, exp.FormatJson):
        encoding, node = node.args["encoding"].name, node.this
    value = each.value(node)
    if value.type.name == "varbinary":
        return f"athena_json_decoded({value.sql}, '{_named(encoding)}')"
    if value.type.name not in ("varchar", "json", "char", "unknown") or encoding != UNNAMED:
        how = "JSON" if encoding == UNNAMED else f"JSON ENCODING {encoding}"
        raise QueryError(
            "TYPE_MISMATCH", f"Cannot read input of type {value.type} as JSON using formatting {how}", each.start(node)
        )
    return casts.coerce(value, VARCHAR).sql if value.type.name != "json" else value.sql


def _returned(each: Expressions, node: exp.Expr, sql: str) -> Value:
    returning = node.args.get("returning")
    if returning is None:
        return Value(sql, VARCHAR)
    kind = type_of(returning, each.sql)
    if kind == VARBINARY:
        encoding = _named(node.args["encoding"].name if node.args.get("encoding") else UNNAMED)
        return Value(f"athena_json_encoded({sql}, '{encoding}')", kind)
    if kind.name not in ("varchar", "char"):
        raise QueryError("TYPE_MISMATCH", f"Cannot output JSON value as {kind} using formatting JSON", each.start(node))
    return casts.convert(Value(sql, VARCHAR), kind)


def _path_call(each: Expressions, node: exp.Anonymous, name: str) -> Value:
    if len(node.expressions) != 2:
        raise unsupported(f"{name} with {len(node.expressions)} arguments", each.start(node))
    source = _input(each, node.expressions[0])
    path = each.value(node.expressions[1])
    if not isinstance(path.constant, str):
        raise unsupported("a JSON path that is no literal", each.start(node))
    _check_path(path.constant, each, node)
    names, values = [], []
    for passed in node.args.get("passing") or []:
        alias: Any = passed.args["alias"]
        names.append(text(alias.name if alias.args.get("quoted") else alias.name.upper()))
        values.append(_passed(each, passed.this))
    given = f"{source}, {path.sql}, {_packed(names)}, {_packed(values)}"
    if name == "json_exists":
        return _exists(node, given)
    if name == "json_value":
        return _value(each, node, given)
    wrapper = str(node.args.get("wrapper") or "WITHOUT")
    kind = "without" if wrapper == "WITHOUT" else "conditional" if wrapper == "WITH CONDITIONAL" else "unconditional"
    omit = "true" if node.args.get("quotes") == "OMIT" else "false"
    found = f"athena_json_query({given}, '{kind}', {omit})"
    empties = {"EMPTY ARRAY": "'[]'", "EMPTY OBJECT": "'{}'"}
    made = _handled(each, node, found, f"substring({found}, 2)", VARCHAR, empties)
    return _returned(each, node, made)


def _check_path(path: str, each: Expressions, node: exp.Expr) -> None:
    from lakectl.local.athena.functions.json_path_syntax import parsed
    from lakectl.local.athena.functions.python import Failure

    try:
        parsed(path)
    except Failure as failure:
        code, _, message = str(failure).partition(": ")
        code = "SYNTAX_ERROR" if message.startswith("syntax error") else code
        raise QueryError(code, message, each.start(node)) from None


def _exists(node: exp.Expr, given: str) -> Value:
    found = f"athena_json_exists({given})"
    words = {"TRUE": "true", "FALSE": "false", "UNKNOWN": "NULL"}
    on_error = node.args.get("on_error")
    word = on_error.name if on_error is not None else "FALSE"
    otherwise = _failed(found, "BOOLEAN") if word == "ERROR" else words[word]
    letter = f"left({found}, 1)"
    return Value(f"(CASE {letter} WHEN 'v' THEN true WHEN 'e' THEN false WHEN 'x' THEN {otherwise} END)", BOOLEAN)


def _value(each: Expressions, node: exp.Expr, given: str) -> Value:
    returning = node.args.get("returning")
    kind = type_of(returning, each.sql) if returning is not None else VARCHAR
    if kind.name not in ("varchar", "char", "boolean", "real", "double", "decimal") and not kind.is_integral:
        raise unsupported(f"json_value RETURNING {kind}", each.start(node))
    shown = "varchar" if kind.name == "char" else str(kind)
    found = f"athena_json_value({given}, {text(shown)})"
    body = Value(f"substring({found}, 2)", VARCHAR)
    made = casts.convert(body, kind).sql if kind.name in ("varchar", "char") else f"CAST({body.sql} AS {kind.physical})"
    return Value(_handled(each, node, found, made, kind, {}), kind)


def _handled(each: Expressions, node: Any, found: str, made: str, kind: Type, words: dict[str, str]) -> str:
    """ON EMPTY and ON ERROR."""
    branches = []
    for letter, clause in (("e", "on_empty"), ("x", "on_error")):
        behaviour = node.args.get(clause)
        if behaviour is None or _is(node, clause, "NULL"):
            then = "NULL"
        elif isinstance(behaviour, exp.Var) and behaviour.name == "ERROR":
            then = _failed(found, kind.physical)
        elif isinstance(behaviour, exp.Var):
            then = words[behaviour.name]
        else:
            value = each.value(behaviour)
            if not sqltypes.coerces(value.type, kind) and not (kind.name == "char" and value.type.name == "varchar"):
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"Function json_value default result must evaluate to {kind} (actual: {value.type})",
                    each.start(node),
                )
            then = casts.convert(value, kind).sql
        branches.append(f"WHEN '{letter}' THEN {then}")
    return f"(CASE left({found}, 1) WHEN 'v' THEN {made} {' '.join(branches)} END)"


def _failed(found: str, physical: str) -> str:
    """Fails with what follows the first letter."""
    if (
        physical == "BOOLEAN"
        or physical.startswith(("VARCHAR", "DECIMAL"))
        or physical in ("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT")
    ):
        return f"CAST(CAST(substring({found}, 2) AS TINYINT) AS {physical})"
    raise unsupported("ERROR ON ERROR of this type")
