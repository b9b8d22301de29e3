"""docs/configuration.md, made of the schema of the configuration and of the shipped file's comments:
`PYTHONPATH=tests python -m pages.configuration_page` writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from pages.markdown import cell, escaped
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from lakectl import glue_versions
from lakectl.config import ENVIRONMENT, Config
from lakectl.config_patterns import EXPECTED
from lakectl.spec import model
from lakectl.spec.files_and_columns import COLUMN_KEYS, ENCODINGS, FORMAT_OPTIONS
from lakectl.spec.parsing import SOURCE_KEYS
from lakectl.spec.relations import TRANSFORMS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/configuration.md"
SHIPPED = ROOT / "config/lake.yaml"

HEADER = """\
# Configuration

This page is made of the schema by which `config/lake.yaml` is validated, and of the comments in the file that is
shipped; a test compares them. Flags override the environment, the environment overrides the file, and what stands
nowhere has the default given here. An unknown key or a value that is not allowed is refused with file, line and what is
allowed.

`{name}` in a bucket's name is the lake's name.

"""
SPECIFICATION = """
## sources, checks, schema_evolution

What the lake's files are, and what is made of them. [The specification](specification.md) says what each key means;
this is what is allowed.

"""


def page() -> str:
    """The whole page."""
    said = comments()
    sections = [name for name, field in Config.model_fields.items() if _is_section(field)]
    top = [name for name in Config.model_fields if name not in sections and name != "spec"]
    parts = [
        HEADER,
        "## The lake\n\n| Key | Values | Default | Flag | Environment | Meaning |\n|---|---|---|---|---|---|\n",
    ]
    for name in top:
        field = Config.model_fields[name]
        flag = f"`--{name.replace('_', '-')}`" if name in ENVIRONMENT else ""
        variables = ", ".join(f"`{each}`" for each in ENVIRONMENT.get(name, ()))
        parts.append(_row(f"`{name}`", _values(name, field), _default(field), flag, variables, said.get(name, "")))
    for name in sections:
        rows = "".join(_rows(name, Config.model_fields[name], said))
        parts.append(f"\n## {name}\n\n| Key | Values | Default | Meaning |\n|---|---|---|---|\n{rows}")
    return "".join([*parts, SPECIFICATION, *_specification()])


def comments() -> dict[str, str]:
    """Dotted key -> the comment at the end of its line in the shipped file, without what the table says anyway."""
    text = SHIPPED.read_text(encoding="utf-8")
    lines = text.splitlines()
    found: dict[str, str] = {}

    def walk(node: yaml.Node, path: str) -> None:
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            dotted = f"{path}{key.value}"
            is_block = isinstance(value, yaml.MappingNode) and not value.flow_style
            last = key.start_mark.line if is_block else value.end_mark.line
            _, mark, comment = lines[last][key.end_mark.column :].partition(" # ")
            comment = re.sub(r"[.;]?\s*\b[Aa]lso --.*|^or .*", "", comment).strip()
            if mark and comment:
                found[dotted] = comment
            walk(value, f"{dotted}.")

    walk(yaml.compose(text, yaml.SafeLoader), "")
    return found


def settings() -> Iterator[str]:
    """The dotted key of every setting but those of the specification."""

    def below(prefix: str, fields_: dict[str, FieldInfo]) -> Iterator[str]:
        for name, field in fields_.items():
            if _is_section(field):
                yield from below(f"{prefix}{name}.", field.annotation.model_fields)  # type: ignore[union-attr]
            else:
                yield f"{prefix}{name}"

    return below("", {name: field for name, field in Config.model_fields.items() if name != "spec"})


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _rows(path: str, field: FieldInfo, said: dict[str, str], below: str = "") -> Iterator[str]:
    assert isinstance(field.annotation, type)
    for name, each in field.annotation.model_fields.items():
        if _is_section(each):
            yield from _rows(f"{path}.{name}", each, said, f"{below}{name}.")
        else:
            yield _row(f"`{below}{name}`", _values(name, each), _default(each), said.get(f"{path}.{name}", ""))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell(escaped(each)) for each in cells)} |\n"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return f"`{json.dumps(value) if not isinstance(value, str) else value}`"


def _values(name: str, field: FieldInfo) -> str:
    if name == "version":
        return ", ".join(f"`{each}`" for each in glue_versions.fit())
    if name == "worker_type":
        return ", ".join(f"`{each}`" for each in glue_versions.WORKERS)
    schema = TypeAdapter(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
    return _described(name, schema.json_schema())


def _described(name: str, schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_described(name, each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema["type"]
    if kind == "array":
        return f"a list; each: {_described(name, schema['items'])}"
    if kind in ("integer", "number"):
        least, most = schema.get("minimum"), schema.get("maximum")
        what = "a whole number" if kind == "integer" else "a number"
        if least is None or most is None:
            return what if least is None else f"{what}, at least {least:,}"
        return f"{least:,} to {most:,}"
    if kind == "string" and "pattern" in schema:
        return EXPECTED[schema["pattern"]]
    return {"boolean": "`true`, `false`", "null": "`null`", "string": "text", "object": "a map of texts"}[kind]


def _specification() -> Iterator[str]:
    choices = ", ".join(f"`{each}`" for each in _literal(model.LakeSpec, "schema_evolution"))
    yield "| Key | Values | Default |\n|---|---|---|\n"
    yield _row("`schema_evolution`", choices, "`fail`")
    for check, policy in model.BUILT_IN_CHECKS.items():
        yield _row(f"`checks.{check}`", ", ".join(f"`{each}`" for each in model.policies_of(check)), f"`{policy}`")
    yield _row("`sources.SOURCE`", ", ".join(f"`{key}`" for key in SOURCE_KEYS), "the tutorial's sources")
    for key in ("loading", "starts_run", "description"):
        yield _row(f"`sources.SOURCE.{key}`", *_of(model.SourceSpec, key))
    for key in ("format", *dict.fromkeys(option for options in FORMAT_OPTIONS.values() for option in options)):
        takes = [name for name, options in FORMAT_OPTIONS.items() if key in options]
        values, default = _of(model.FileFormat, key)
        if key == "encoding":
            values = ", ".join(f"`{each}`" for each in ENCODINGS)
        only = f"; for {', '.join(takes)}" if takes else ""
        yield _row(f"`sources.SOURCE.file.{key}`", values + only, default)
    types = ", ".join(f"`{each}`" for each in (*model.SIMPLE_TYPES, "decimal(p,s)"))
    for key in COLUMN_KEYS:
        values, default = (
            (types, "required") if key == "type" else _of(model.Column, {"format": "formats"}.get(key, key))
        )
        yield _row(f"`sources.SOURCE.columns.NAME.{key}`", values, default)
    policies = ", ".join(f"`{each}`" for each in model.POLICIES)
    yield _row("`sources.SOURCE.lookups.NAME.missing`", policies, "`warn`")
    yield _row("`sources.SOURCE.checks.NAME.otherwise`", policies, "`fail`")
    transforms = ", ".join(f"`{name}`" for name in TRANSFORMS)
    yield _row("`sources.SOURCE.partition_by`", f"a list of columns, or of {transforms}", "none")


def _literal(record: type, name: str) -> tuple[str, ...]:
    """What a field of a dataclass may be, where its type lists that."""
    annotation = next(each.type for each in fields(record) if each.name == name)
    return get_args(eval(str(annotation), vars(model)))  # noqa: S307 - the annotations of our own module


def _of(record: type, name: str) -> tuple[str, str]:
    """Values and default of a field of a dataclass."""
    field = next(each for each in fields(record) if each.name == name)
    allowed = [each for each in _literal(record, name) if isinstance(each, str)]
    default = None if field.default is MISSING else field.default
    if isinstance(default, bool):
        return "`true`, `false`", f"`{json.dumps(default)}`"
    if allowed:
        return ", ".join(f"`{each}`" for each in allowed), f"`{default}`"
    shown = f"`{default}`" if isinstance(default, str) and default else "none"
    return ("a list of texts" if isinstance(default, tuple) else "text"), shown


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
