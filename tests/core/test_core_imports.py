"""``lakectl.core`` stands below everything: it needs boto3 alone, and most of it not even that."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lakectl import packages, project
from lakectl.spec.model import LakeSpec

CORE = packages.LAKECTL / "core"
AWS = {"boto3", "botocore"}
SPECIFICATION = tuple(f"lakectl.spec.{name}" for name in ("model", "json_form", "date_patterns"))
# Glue has it, and lakectl[local]. It is imported when the first Parquet file is looked at.
LAZY = {"parquet_files": "pyarrow"}
# Those that speak to AWS. The rest must not pay for importing boto3.
SPEAK_TO_AWS = {"applied_spec", "ledger", "ledger_table", "intake", "lease"}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function; not those for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unseen = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            found.update({f"{node.module}.{alias.name}" for alias in node.names})
    return found


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: path.stem)
def test_core_imports_itself_the_specification_and_boto3_only(path: Path) -> None:
    for name in imported(path):
        top = name.partition(".")[0]
        allowed = top in sys.stdlib_module_names or top in AWS or top == LAZY.get(path.stem)
        assert allowed or name.startswith(("lakectl.core", *SPECIFICATION)), name


def test_what_does_not_speak_to_aws_does_not_import_boto3() -> None:
    names = sorted(path.stem for path in CORE.glob("*.py") if path.stem not in {*SPEAK_TO_AWS, "__init__"})
    code = f"import sys, importlib\nfor name in {names}: importlib.import_module('lakectl.core.' + name)\n"
    code += "found = {'boto3', 'botocore', 'pyspark', 'pydantic', 'sqlglot', 'click', 'pyarrow'} & set(sys.modules)\n"
    code += "assert not found, found"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", packages.ZIPS)
def test_a_package_holds_all_that_its_modules_import(name: str) -> None:
    """Where it runs there is boto3 and the standard library, and no lakectl but this one."""
    content = packages.build(project.find(), LakeSpec({}), name)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = {entry.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for entry in archive.namelist()}
    for path in CORE.rglob("*.py"):
        for wanted in imported(path):
            if wanted.startswith("lakectl."):
                assert wanted in held or wanted.rpartition(".")[0] in held, f"{path.name} imports {wanted}"
