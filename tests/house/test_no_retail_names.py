"""No code knows the tutorial's lake: its configuration, queries and sample data name its sources and columns."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from lakectl import packages
from lakectl.config import default_spec

ROOT = packages.LAKECTL.parent
# The tutorial itself: its sample data, the demo, and the defaults of the configuration.
TUTORIAL = {
    "lakectl/ops/landing/sample_data.py",
    "lakectl/cli/sample_data.py",
    "lakectl/cli/demo.py",
    "lakectl/config.py",
}
# A key of configurations and an argument of the job that people's files and commands have: they stay.
CONTRACT = {"orders_rule", "RAW_ORDERS_PATH"}
# Columns of the tutorial that are also words of AWS or of English.
PLAIN = {"region", "category", "channel"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Python 3.12 and later have tokens of their own for the text of an f-string.
TEXTS = {tokenize.NAME, tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def banned() -> set[str]:
    spec = default_spec()
    columns = {column.name for source in spec.sources.values() for column in source.columns}
    derived = {each.name for source in spec.sources.values() for each in source.derive}
    return {*spec.sources, *(columns | derived) - PLAIN, "customer", "product"}


def found(code: str, words: set[str]) -> Iterator[tuple[int, str]]:
    """Line and name of each of ``words``, alone or as a part of a longer name: in code, texts and comments alike."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type in TEXTS:
            for name in sorted(set(NAME.findall(token.string)) - CONTRACT):
                if any(f"_{word}_" in f"_{name.lower()}_" for word in words):
                    yield token.start[0], name


@pytest.mark.parametrize("folder", ["lakectl", "jobs", "lambdas"])
def test_no_code_names_a_source_or_column_of_the_tutorial(folder: str) -> None:
    words = banned()
    assert words >= {"customers", "products", "orders", "order_id", "qty", "sales_amount"}
    paths = [path for path in (ROOT / folder).rglob("*.py") if path.relative_to(ROOT).as_posix() not in TUTORIAL]
    assert paths
    assert [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted(paths)
        for line, name in found(path.read_text(encoding="utf-8"), words)
    ] == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("qty = 1", ["qty"]),
        ("x = f'{a} of raw_orders'", ["raw_orders"]),
        ('"""Of customers.csv."""', ["customers"]),
        ("x = 1  # the order_date's day", ["order_date"]),
        ("region = reordered = names.orders_rule", []),
    ],
)
def test_names_are_seen_in_code_texts_and_comments(code: str, names: list[str]) -> None:
    assert [name for _, name in found(code, banned())] == names
