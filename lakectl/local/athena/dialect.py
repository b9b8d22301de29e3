"""Athena's SQL as a tree in which every function keeps its name as written.

sqlglot's own dialect gives functions classes of their own, and their arguments other places: what a function means is
looked up by its name instead. Only calls with a syntax of their own have a parser.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.dialects.trino import Trino
from sqlglot.parsers.athena import AthenaTrinoParser
from sqlglot.tokenizer_core import Token, TokenType

LITERAL = "literal"  # meta: TIMESTAMP '…' and its like, not a CAST
START = "start"  # meta: the character where a call begins
_MAKERS = ("ARRAY", "MAP", "ROW")
UNNAMED = "UNNAMED"  # FORMAT JSON without ENCODING
_ENCODINGS = ("UTF8", "UTF16", "UTF32")
_SPECIAL = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING", "NORMALIZE", "LISTAGG")


class Parser(AthenaTrinoParser):
    """Calls become ``exp.Anonymous``; the JSON functions have their clauses in ``args``."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        **{name: AthenaTrinoParser.FUNCTION_PARSERS[name] for name in _SPECIAL},
        **{
            f"JSON_{name}": lambda self: self._parse_json_call()
            for name in ("EXISTS", "VALUE", "QUERY", "ARRAY", "OBJECT")
        },
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: AthenaTrinoParser.NO_PAREN_FUNCTION_PARSERS[name] for name in ("ANY", "CASE", "IF")
    }
    TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = {
        kind: lambda self, this, to: self._parse_typed_literal(this, to) for kind in exp.DType
    }

    def _parse_escape(self, this: exp.Expr | None) -> exp.Expr | None:
        """Any expression may name the letter that escapes."""
        if not self._match(TokenType.ESCAPE):
            return this
        return self.expression(exp.Escape(this=this, expression=self._parse_unary()))

    def _parse_derived_table_values(self, *args: Any, **options: Any) -> exp.Values | None:
        """``(VALUES … UNION VALUES …)`` is a query in parentheses, and no list of rows."""
        index = self._index
        if not self._match_pair(TokenType.L_PAREN, TokenType.VALUES):
            return super()._parse_derived_table_values(*args, **options)
        self._parse_csv(self._parse_value)
        more = not self._match(TokenType.R_PAREN, advance=False)
        self._retreat(index)
        return None if more else super()._parse_derived_table_values(*args, **options)

    def _parse_types(self, *args: Any, **options: Any) -> Any:
        """In an expression, ``ARRAY[…]``, ``ROW(…)`` and ``MAP(…)`` are no types. sqlglot would try, and take twice the
        time at each level of nested ones."""
        if options.get("check_func") and self._curr and self._curr.text.upper() in _MAKERS:
            return None
        return super()._parse_types(*args, **options)

    def _parse_typed_literal(self, this: exp.Expr, to: exp.DataType) -> exp.Expr:
        node = self.expression(exp.Cast(this=this, to=to))
        node.meta[LITERAL] = True
        return node

    def _parse_function_call(self, *args: Any, **options: Any) -> Any:
        start = self._curr.start if self._curr else 0
        node = super()._parse_function_call(*args, **options)
        if isinstance(node, exp.Expr):
            inner = node
            while isinstance(inner, exp.Window | exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
                inner = inner.this
            inner.meta.setdefault(START, start)
        return node

    def _parse_json_call(self) -> exp.Expr:
        """The clauses of Trino's JSON functions: https://trino.io/docs/current/functions/json.html"""
        name = self._prev_call_name().lower()
        node = exp.Anonymous(this=name)
        if name == "json_object":
            node.set("expressions", self._parse_members())
        elif not self._match_texts(("RETURNING",), advance=False) and not self._match(TokenType.R_PAREN, advance=False):
            node.set("expressions", self._parse_csv(self._parse_json_item))
        if self._match_text_seq("PASSING"):
            node.set("passing", self._parse_csv(self._parse_passed))
        self._parse_json_returning(node)
        self._parse_json_behaviour(node)
        self._parse_json_returning(node)
        return node

    def _parse_json_returning(self, node: exp.Expr) -> None:
        if self._match_text_seq("RETURNING"):
            node.set("returning", self._parse_types())
            if self._match_text_seq("FORMAT", "JSON"):
                node.set("encoding", self._parse_encoding())

    def _prev_call_name(self) -> str:
        return str(self._tokens[self._index - 2].text)

    def _parse_json_item(self) -> exp.Expr | None:
        item = self._parse_disjunction()
        if item is not None and self._match_text_seq("FORMAT", "JSON"):
            wrapped = exp.FormatJson(this=item)
            wrapped.set("encoding", self._parse_encoding())  # sqlglot would refuse it where it checks a node
            return wrapped
        return item

    def _parse_encoding(self) -> exp.Expr:
        if self._match_text_seq("ENCODING") and self._match_texts(_ENCODINGS):
            return exp.var(self._prev.text.upper())
        return exp.var(UNNAMED)

    def _parse_members(self) -> list[Any]:
        if self._match(TokenType.R_PAREN, advance=False) or self._curr.text.upper() in ("RETURNING",):
            return []
        return self._parse_csv(self._parse_member)

    def _parse_member(self) -> exp.Expr:
        keyed = self._match_text_seq("KEY")
        key = self._parse_bitwise()
        if not self._match(TokenType.COLON) and not self._match_text_seq("VALUE"):
            self.raise_error("Expected VALUE" if keyed else "Expected :")
        return self.expression(exp.JSONKeyValue(this=key, expression=self._parse_json_item()))

    def _parse_passed(self) -> exp.Expr:
        item = self._parse_json_item()
        self._match(TokenType.ALIAS)
        return self.expression(exp.Alias(this=item, alias=self._parse_id_var(any_token=True)))

    def _parse_json_behaviour(self, node: exp.Expr) -> None:
        """``ON EMPTY``, ``ON ERROR``, ``ON NULL``, wrapper, quotes and keys, in the order in which they come."""
        for wrapper in ("WITHOUT ARRAY", "WITHOUT", "WITH CONDITIONAL ARRAY", "WITH CONDITIONAL") + (
            "WITH UNCONDITIONAL ARRAY",
            "WITH UNCONDITIONAL",
            "WITH ARRAY",
            "WITH",
        ):
            if self._match_text_seq(*wrapper.split(), "WRAPPER"):
                node.set("wrapper", wrapper.removesuffix(" ARRAY"))
                break
        for quotes in ("KEEP", "OMIT"):
            if self._match_text_seq(quotes, "QUOTES"):
                self._match_text_seq("ON", "SCALAR", "STRING")
                node.set("quotes", quotes)
        while True:
            behaviour = self._parse_one_behaviour()
            if behaviour is None:
                break
            on = self._curr.text.upper()
            self._advance()
            node.set(f"on_{on.lower()}", behaviour)
        for unique in ("WITH", "WITHOUT"):
            if self._match_text_seq(unique, "UNIQUE"):
                self._match_text_seq("KEYS")
                node.set("unique", unique == "WITH")

    def _parse_one_behaviour(self) -> exp.Expr | None:
        index = self._index
        for words in ("NULL", "ABSENT", "ERROR", "TRUE", "FALSE", "UNKNOWN", "EMPTY ARRAY", "EMPTY OBJECT"):
            if self._match_text_seq(*words.split(), "ON"):
                return exp.var(words)
        if self._match_text_seq("DEFAULT"):
            value = self._parse_bitwise()
            if self._match_text_seq("ON"):
                return value
        self._retreat(index)
        return None


class Query(Trino):
    """Trino's dialect with the parser above. Subscripts stay as written."""

    INDEX_OFFSET = 0
    Parser = Parser

    class Tokenizer(Trino.Tokenizer):
        KEYWORDS: ClassVar[dict[str, Any]] = {**Trino.Tokenizer.KEYWORDS, "UNLOAD": TokenType.COMMAND}


_HEX = re.compile(r"\bX'([0-9a-fA-F\s]*)'", re.I)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.S)


def tokenize(text: str) -> list[Token]:
    return list(Query().tokenize(_packed(text)))


def parse(text: str) -> list[exp.Expr | None]:
    """The trees of the statements in ``text``. Raises sqlglot's errors."""
    packed = _packed(text)
    tokens = Athena().tokenize(packed)
    if tokens and tokens[0].token_type == TokenType.HIVE_TOKEN_STREAM:
        return list(Athena().parser().parse(tokens, packed))
    return list(Query().parser().parse(tokens, packed))


def _packed(text: str) -> str:
    """``X'68 65'`` without the white space, which goes behind it, so that no other character moves."""
    if "'" not in text or not re.search(r"\bX'", text, re.I):
        return text
    pieces, at = [], 0
    while at < len(text):
        found = _HEX.match(text, at) if text[at] in "xX" and (at == 0 or not text[at - 1].isalnum()) else None
        quoted = _QUOTED.match(text, at) if found is None and text[at] in "'\"-/" else None
        if found:
            digits = re.sub(r"\s", "", found[1])
            piece = f"{text[at]}'{digits}'" + " " * (len(found[1]) - len(digits))
            at = found.end()
        elif quoted:
            piece, at = quoted[0], quoted.end()
        else:
            piece, at = text[at], at + 1
        pieces.append(piece)
    return "".join(pieces)
