"""No code knows the tutorial's lake: its configuration, queries and sample data name its sources and columns."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lakectl import config, lake, packages, project
from lakectl.config import default_spec
from lakectl.naming import Names
from lakectl.ops.init import config_text
from lakectl.ops.init.draft import Draft
from lakectl.spec.model import Column, FileFormat

ROOT = packages.LAKECTL.parent
# The tutorial itself: its sample data, the demo, and the defaults of the configuration.
TUTORIAL = {
    "lakectl/ops/landing/sample_data.py",
    "lakectl/ops/acceptance/files.py",
    "lakectl/cli/sample_data.py",
    "lakectl/cli/demo.py",
    "lakectl/cli/demo_story.py",
    "lakectl/config.py",
}
# S3's own word: encryption with a customer's key, and its headers.
OF_AWS = {"lakectl/local/s3/encryption.py"}
# A key of configurations and an argument of the job that people's files and commands have: they stay.
CONTRACT = {"orders_rule", "RAW_ORDERS_PATH"}
# Of itertools, of a grammar, and a function of Athena.
MATHS = {"product", "dot_product"}
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
            for name in sorted(set(NAME.findall(token.string)) - CONTRACT - MATHS):
                if any(f"_{word}_" in f"_{name.lower()}_" for word in words):
                    yield token.start[0], name


@pytest.mark.parametrize("folder", ["lakectl", "jobs", "lambdas"])
def test_no_code_names_a_source_or_column_of_the_tutorial(folder: str) -> None:
    words = banned()
    assert words >= {"customers", "products", "orders", "order_id", "qty", "sales_amount"}
    paths = [
        path for path in (ROOT / folder).rglob("*.py") if path.relative_to(ROOT).as_posix() not in TUTORIAL | OF_AWS
    ]
    assert paths
    assert [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted(paths)
        for line, name in found(path.read_text(encoding="utf-8"), words)
    ] == []


def test_no_resource_of_another_lake_speaks_of_the_tutorial(tmp_path: Path) -> None:
    """Names, descriptions, comments, tags, arguments and policies, of a lake that `init --from` has written."""
    column = Column("ride_id", "bigint", description="Of one ride")
    draft = Draft("rides", [], FileFormat(), [column], "t", 1, keys=("ride_id",), starts_run=True)
    home = tmp_path / "lake.yaml"
    home.write_text(config_text.own("city", [draft]))
    where = replace(project.find(), config_file=home)
    made = lake.resources(Names(config.load(home), "123456789012", "eu-west-1"), where)
    assert len(made) > 30
    words = {"retail", "tutorial", "demo", *default_spec().sources}
    for resource in made:
        told = repr((resource.id, resource.arn, dict(resource.desired()), resource.tags, resource.needs)).lower()
        assert not [word for word in words if word in told], (resource.id, told)


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
