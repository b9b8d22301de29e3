"""Which part of the house may import which: downwards only, and everything heavy in its own room."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lakectl import packages

ROOT = packages.LAKECTL.parent
# Everybody may import these, and they stand in this order: each imports those after it only.
BELOW = (
    "naming",
    "config",
    "config_errors",
    "config_patterns",
    "project",
    "glue_versions",
    "prices",
    "core",
    "spec",
    "progress",
    "findings",
    "aws_refusals",
    "aws_session",
    "errors",
)
# Part -> the parts above BELOW that it may import.
ALLOWED: dict[str, tuple[str, ...]] = {
    "__main__": ("cli",),
    "pytest_plugin": ("local",),
    "cli": (
        "output",
        "console",
        "report",
        "ops",
        "lake",
        "packages",
        "saved_queries",
        "engine",
        "aws",
        "tables",
        "formats",
        "shell",
        "config_origins",
        "local",
    ),
    "config_origins": (),
    "output": ("tables",),
    "formats": ("tables", "ops"),
    "shell": ("ops",),
    "tables": (),
    "console": ("html", "ops", "saved_queries", "aws"),
    "report": ("html", "ops"),
    "html": ("output", "ops"),
    "ops": ("lake", "packages", "saved_queries", "resources", "engine", "aws", "contract"),
    "contract": (),
    "lake": ("packages", "saved_queries", "resources", "engine"),
    "packages": (),
    "saved_queries": (),
    "resources": ("engine", "aws"),
    "engine": ("aws",),
    "aws": ("local",),
    "local": (),
    "jobs": (),
    "lambdas": (),
}
# Part -> packages of others that it imports. Jobs and functions run where only these are installed.
OTHERS: dict[str, set[str]] = {
    "__main__": set(),
    "pytest_plugin": {"boto3", "pytest"},
    "cli": {"click"},
    "config_origins": {"pydantic"},
    "output": {"rich"},
    "formats": {"pyarrow"},
    "shell": {"prompt_toolkit", "pygments"},
    "tables": {"rich"},
    "console": {"botocore", "flask", "jinja2", "werkzeug"},
    "report": {"markupsafe"},
    "html": {"jinja2", "markupsafe", "pygal"},
    "ops": {"botocore", "duckdb", "sqlglot", "yaml"},
    "contract": {"botocore"},
    "lake": set(),
    "packages": set(),
    "saved_queries": set(),
    "resources": {"botocore"},
    "engine": {"botocore"},
    "aws": {"boto3", "botocore"},
    "aws_session": {"botocore"},
    "naming": set(),
    "config": {"pydantic", "yaml"},
    "config_errors": {"pydantic", "yaml"},
    "config_patterns": set(),
    "project": set(),
    "glue_versions": set(),
    "prices": set(),
    "core": {"boto3", "botocore", "pyarrow"},
    "spec": {"sqlglot", "yaml"},
    "progress": set(),
    "findings": set(),
    "aws_refusals": set(),
    "errors": set(),
    "jobs": {"awsglue", "boto3", "botocore", "pyspark", "py4j"},
    "lambdas": {"boto3", "botocore"},
}
# The endpoint on this machine stands beside the house: it is started by `aws`, and by the commands that are about it.
KNOWS_LOCAL = {"lakectl/aws.py", "lakectl/cli/local.py", "lakectl/cli/local_saved.py", "lakectl/pytest_plugin.py"}
# Reads which of the two targets is meant: where it is defined, and where it becomes an endpoint and credentials.
KNOWS_TARGET = {"lakectl/config.py", "lakectl/aws.py"}


def files() -> Iterator[Path]:
    for folder in ("lakectl", "jobs", "lambdas"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def part(path: Path) -> str:
    """``lakectl/ops/x.py`` → ``ops``, ``lakectl/aws.py`` → ``aws``, ``jobs/lake/x.py`` → ``jobs``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] != "lakectl" else parts[1]


@cache
def imported(path: Path) -> frozenset[str]:
    """Every module that a file imports, at its top, inside a function, or for type checkers."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def edges() -> set[tuple[str, str, str]]:
    """(importing part, imported part, file) within lakectl; ``__init__``, which holds the version, is nobody's."""
    return {
        (part(path), name.split(".")[1], path.relative_to(ROOT).as_posix())
        for path in files()
        for name in imported(path)
        if name.startswith("lakectl.") and name != "lakectl.__version__"
    }


def test_imports_point_down() -> None:
    wrong = []
    for importer, target, file in edges():
        if importer == target:
            continue
        allowed = BELOW[BELOW.index(importer) + 1 :] if importer in BELOW else (*ALLOWED[importer], *BELOW)
        if target not in allowed:
            wrong.append(f"{file} imports {target}")
    assert sorted(wrong) == []


def test_the_table_allows_nothing_that_is_not_done() -> None:
    done = {(importer, target) for importer, target, _ in edges()}
    assert {(importer, target) for importer, targets in ALLOWED.items() for target in targets} - done == set()


def test_what_aws_runs_imports_the_core_and_the_specification_alone() -> None:
    assert {target for importer, target, _ in edges() if importer in ("jobs", "lambdas")} == {"core", "spec"}


def test_packages_of_others_are_imported_where_they_belong() -> None:
    found: dict[str, set[str]] = {name: set() for name in OTHERS}
    for path in files():
        if part(path) not in ("local", "__init__"):
            own = {"lakectl", "lake"} | set(sys.stdlib_module_names)
            found[part(path)] |= {name.partition(".")[0] for name in imported(path)} - own
    assert found == OTHERS


def test_only_local_and_what_starts_it_import_local() -> None:
    assert {file for importer, target, file in edges() if target == "local" != importer} == KNOWS_LOCAL


@pytest.mark.parametrize("attribute", ["target", "local"])
def test_nobody_else_asks_which_target_it_is(attribute: str) -> None:
    """Nothing but the endpoint and the credentials may depend on it."""
    asking = {
        path.relative_to(ROOT).as_posix()
        for path in files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == attribute and ast.unparse(node.value).endswith("config")
    }
    assert asking <= (KNOWS_TARGET if attribute == "target" else KNOWS_LOCAL)
    assert asking
