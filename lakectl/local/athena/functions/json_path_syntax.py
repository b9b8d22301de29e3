"""SQL/JSON path expressions as trees of tuples: ``("member", of, name)``.

https://trino.io/docs/current/functions/json.html#json-path-language
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lakectl.local.athena.functions.python import Failure

Node = tuple[Any, ...]
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<string>"(?:\\.|[^"\\])*")|(?P<variable>\$\w+)|"""
    r"""(?P<word>[A-Za-z_]\w*)|(?P<sign>==|<=|>=|<>|!=|&&|\|\||[$@.*\[\](),?<>!+\-/%]))"""
)
_METHODS = ("type", "size", "double", "ceiling", "floor", "abs", "keyvalue")


class _Reader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, path.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self.bad()
            self.tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
            at = found.end()
        self.at = 0

    def bad(self) -> Failure:
        return Failure(f"syntax error in JSON path: {self.path}", "INVALID_PATH")

    def next_is(self, *texts: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][1] in texts and self.tokens[self.at][0] != "string"

    def take(self, *texts: str) -> str | None:
        if not self.next_is(*texts):
            return None
        self.at += 1
        return self.tokens[self.at - 1][1]

    def need(self, text: str) -> None:
        if self.take(text) is None:
            raise self.bad()

    def binary(self, signs: tuple[str, ...], inner: Any) -> Node:
        left: Node = inner()
        while (sign := self.take(*signs)) is not None:
            left = ("arithmetic", sign, left, inner())
        return left

    def expression(self) -> Node:
        return self.binary(("+", "-"), self.product)

    def product(self) -> Node:
        return self.binary(("*", "/", "%"), self.signed)

    def signed(self) -> Node:
        sign = self.take("+", "-")
        return ("sign", sign, self.signed()) if sign else self.accessed()

    def accessed(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                node = self.member(node)
            elif self.take("["):
                node = self.subscripts(node)
            elif self.take("?"):
                self.need("(")
                node = ("filter", node, self.disjunction())
                self.need(")")
            else:
                return node

    def member(self, node: Node) -> Node:
        if self.take("*"):
            return ("members", node)
        if self.at >= len(self.tokens):
            raise self.bad()
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "string":
            return ("member", node, _unquoted(text))
        if kind != "word":
            raise self.bad()
        if text in (*_METHODS, "datetime") and self.take("("):
            if text == "datetime":
                raise Failure(
                    "the JSON path method datetime() is not supported by the local Athena; it works on AWS",
                    "NOT_SUPPORTED",
                )
            self.need(")")
            return ("method", node, text)
        return ("member", node, text)

    def subscripts(self, node: Node) -> Node:
        if self.take("*"):
            self.need("]")
            return ("items", node)
        ranges = []
        while True:
            first = self.expression()
            ranges.append((first, self.expression() if self.take("to") else None))
            if self.take(",") is None:
                break
        self.need("]")
        return ("subscript", node, tuple(ranges))

    def primary(self) -> Node:
        if self.take("("):
            node = self.expression()
            self.need(")")
            return node
        if self.at >= len(self.tokens):
            raise self.bad()
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return ("literal", float(text) if re.search(r"[.eE]", text) else int(text))
        if kind == "string":
            return ("literal", _unquoted(text))
        if kind == "variable":
            return ("variable", text[1:])
        words: dict[str, Node] = {
            "$": ("root",), "@": ("current",), "last": ("last",),
            "true": ("literal", True), "false": ("literal", False),
            "null": ("literal", None),
        }  # fmt: skip
        if text not in words:
            raise self.bad()
        return words[text]

    def disjunction(self) -> Node:
        left = self.conjunction()
        while self.take("||"):
            left = ("or", left, self.conjunction())
        return left

    def conjunction(self) -> Node:
        left = self.predicate()
        while self.take("&&"):
            left = ("and", left, self.predicate())
        return left

    def predicate(self) -> Node:
        if self.take("!"):
            self.need("(")
            inner = self.disjunction()
            self.need(")")
            return ("not", inner)
        if self.take("exists"):
            self.need("(")
            inner = self.expression()
            self.need(")")
            return ("exists", inner)
        if self.next_is("("):
            start = self.at
            try:
                self.need("(")
                inner = self.disjunction()
                self.need(")")
            except Failure:
                self.at = start
            else:
                if self.take("is"):
                    self.need("unknown")
                    return ("unknown", inner)
                return inner
        return self.comparison()

    def comparison(self) -> Node:
        left = self.expression()
        if self.take("starts"):
            self.need("with")
            return ("starts", left, self.expression())
        if self.next_is("like_regex"):
            raise Failure(
                "like_regex in a JSON path is not supported by the local Athena; it works on AWS", "NOT_SUPPORTED"
            )
        sign = self.take("==", "<>", "!=", "<", "<=", ">", ">=")
        if sign is None:
            raise self.bad()
        return ("compare", sign, left, self.expression())


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


@lru_cache(maxsize=512)
def parsed(path: str) -> tuple[bool, Node]:
    """(whether the path is lax, its tree). Raises INVALID_PATH."""
    reader = _Reader(path)
    mode = reader.take("lax", "strict")
    if mode is None:
        raise reader.bad()
    node = reader.expression()
    if reader.at != len(reader.tokens):
        raise reader.bad()
    return mode == "lax", node
