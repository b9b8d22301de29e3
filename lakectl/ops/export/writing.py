"""Making the template and its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakectl.config import Config
from lakectl.engine.forms import File
from lakectl.ops import export as ops
from lakectl.ops import whole_file
from lakectl.ops.export import Where, cloudformation, terraform
from lakectl.project import Project


@dataclass(frozen=True)
class Exported:
    """The template's ``text``, and the ``files`` that it refers to."""

    text: str
    files: tuple[File, ...]


def export(
    config: Config, project: Project, form: str, where: Where, files: str, query_ids: Mapping[str, str] | None = None
) -> Exported:
    """The lake in ``form``: ``cloudformation`` or ``terraform``.

    ``files``: what the template calls the folder of its files. ``query_ids``: of running saved queries, by name,
    where Terraform shall adopt the lake.
    """
    found = ops.resources(config, project, where)
    if form == "cloudformation":
        template = ops.template(found)
        return Exported(cloudformation.text(template, config, where, files), tuple(template.files))
    module = ops.module(found)
    return Exported(terraform.text(module, config, where, files, query_ids), tuple(module.files))


def write_files(folder: Path, files: Iterable[File]) -> None:
    """Write each below ``folder``. Raises UsageError when it can't be written."""
    for file in files:
        whole_file.write(folder / file.path, file.content)
