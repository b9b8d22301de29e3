"""API calls in the words of the AWS CLI, versions 1 and 2, by botocore's own service models."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.model import OperationModel, Shape

WIDTH = 110  # of a line of the script, as far as a value can be broken
FLAG_ROOM = 10  # what stands before a value that fits, about
CLI_NAMES = {"s3": "s3api"}  # `aws s3` is the CLI's own set of file commands
SCALARS = frozenset(("string", "integer", "long", "double", "float"))


@dataclass(frozen=True)
class Command:
    """``words`` (``aws s3api create-bucket``), then ``options``: each a flag and its values."""

    words: tuple[str, ...]
    options: tuple[tuple[str, ...], ...] = ()

    @property
    def argv(self) -> list[str]:
        """What to hand to exec."""
        words = list(self.words)
        for flag, *values in self.options:
            words += [f"{flag}={values[0]}"] if _joined(values) else [flag, *values]
        return words

    def shell(self, prefix: str = "") -> str:
        """One line of shell if it fits, else a line for each option; ``prefix`` comes before the command."""
        head = prefix + " ".join(self.words)
        options = [_shell_option(flag, values, json.dumps) for flag, *values in self.options]
        line = " ".join([head, *options])
        if len(line) <= WIDTH and "\n" not in line:
            return line
        options = [_shell_option(flag, values, _laid_out) for flag, *values in self.options]
        return " \\\n  ".join([head, *options])


def translate(
    service: str, operation: OperationModel, parameters: Mapping[str, Any], path_of: Callable[[bytes], str]
) -> Command:
    """The command that makes the call; ``path_of`` says in which file the user has a blob."""
    shape = operation.input_shape
    given = [name for name in shape.members if name in parameters]
    given.sort(key=lambda name: name not in shape.required_members)  # the thing itself first
    options = [_option(name, parameters[name], shape.members[name], path_of) for name in given]
    return Command(("aws", CLI_NAMES.get(service, service), xform_name(operation.name, "-")), tuple(options))


def wait(service: str, waiter: str, operation: OperationModel, parameters: Mapping[str, Any]) -> Command:
    """``aws SERVICE wait WAITER``; ``operation`` is what the waiter calls."""
    options = translate(service, operation, parameters, lambda _: "").options
    return Command(("aws", CLI_NAMES.get(service, service), "wait", xform_name(waiter, "-").replace("_", "-")), options)


def _option(name: str, value: Any, shape: Shape, path_of: Callable[[bytes], str]) -> tuple[str, ...]:
    flag = "--" + xform_name(name, "-")
    if shape.type_name == "blob":
        # A streamed body is named by its path; another blob is read through fileb://.
        return (flag, path_of(value) if shape.serialization.get("streaming") else f"fileb://{path_of(value)}")
    if isinstance(value, dict) and list(value) == ["ZipFile"]:
        # `lambda create-function` takes Code's archive as an option of its own: JSON can't hold a file.
        return ("--zip-file", f"fileb://{path_of(value['ZipFile'])}")
    if shape.type_name == "boolean":
        return (flag if value else f"--no-{flag[2:]}",)
    if shape.type_name in SCALARS:
        return (flag, str(value))
    if shape.type_name == "list" and shape.member.type_name in SCALARS:
        return (flag, *(str(item) for item in value))
    return (flag, json.dumps(value, ensure_ascii=False))


def _joined(values: list[str]) -> bool:
    # `--query-string '-- title'` would be read as two options.
    return len(values) == 1 and values[0].startswith("-")


def _shell_option(flag: str, values: list[str], layout: Callable[[Any], str]) -> str:
    if _joined(values):
        return f"{flag}={shlex.quote(values[0])}"
    return " ".join([flag, *(shlex.quote(_reformatted(value, layout)) for value in values)])


def _reformatted(value: str, layout: Callable[[Any], str]) -> str:
    """A JSON document in another layout; any other text as it is."""
    if value[:1] not in ("{", "["):
        return value
    try:
        return layout(json.loads(value))
    except ValueError:
        return value


def _laid_out(value: Any, indent: int = 2) -> str:
    """JSON, broken into lines only where a part is too long for one."""
    text = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(text) + indent <= WIDTH - FLAG_ROOM:
        return text
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_laid_out(item, indent + 2)}" for key, item in value.items()]
    else:
        parts = [_laid_out(item, indent + 2) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{pad}" + f",\n{pad}".join(parts) + f"\n{' ' * indent}{closing}"
