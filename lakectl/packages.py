"""Deployment packages, reproducible to the byte: the same files give the same zip on every machine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from lakectl.errors import UsageError
from lakectl.project import Project
from lakectl.spec.json_form import to_json
from lakectl.spec.model import LakeSpec

# The earliest time a zip can hold; a real one would change the hash without a change of content.
EPOCH = (1980, 1, 1, 0, 0, 0)
SPEC_FILE = "lake.json"
READABLE = 0o644 << 16
UNIX = 3  # else zipfile writes down the system that it runs on
LAKECTL = Path(__file__).parent
# What core needs of the rest: the specification, reading it, and how a column's dates are written.
BESIDE_CORE = ("__init__.py", *(f"spec/{name}.py" for name in ("__init__", "model", "json_form", "date_patterns")))
FUNCTIONS = ("log_ingestion_run", "start_glue_job")
ZIPS = (*FUNCTIONS, "job")
NAMES = (*ZIPS, "spec")
SCRIPTS = ("retail_bronze_to_silver", "retail_maintenance")


def build(project: Project, spec: LakeSpec, name: str) -> bytes:
    """What is uploaded as ``name``, one of :data:`NAMES`: a function's package, the job's, or the specification."""
    if name == "spec":
        return specification(spec)
    return job_package(project) if name == "job" else function_package(project, spec, name)


def file_of(name: str) -> str:
    """The file that :func:`build` fills."""
    return SPEC_FILE if name == "spec" else f"{name}.zip"


def specification(spec: LakeSpec) -> bytes:
    """The lake's sources as the job and both functions read them."""
    return to_json(spec).encode()


def function_package(project: Project, spec: LakeSpec, folder: str) -> bytes:
    """The zip of a Lambda: ``lambdas/<folder>/`` at its root, the lake's sources beside it, and :mod:`lakectl.core`."""
    files = {**_python_files(project.lambdas / folder), **_core()}
    return _zip({**_read(files), SPEC_FILE: specification(spec)})


def job_package(project: Project) -> bytes:
    """The zip for ``--extra-py-files``: ``jobs/lake/`` as package ``lake``, and :mod:`lakectl.core`."""
    package = {f"lake/{name}": path for name, path in _python_files(project.jobs / "lake").items()}
    return _zip(_read({**package, **_core()}))


def _core() -> dict[str, Path]:
    """What the command line, the functions and the job share."""
    core = {f"lakectl/core/{name}": path for name, path in _python_files(LAKECTL / "core").items()}
    return {**core, **{f"lakectl/{name}": LAKECTL / name for name in BESIDE_CORE}}


def job_script_path(project: Project, name: str = SCRIPTS[0]) -> Path:
    """Where a Glue job's script is."""
    return project.jobs / f"{name}.py"


def job_script(project: Project, name: str = SCRIPTS[0]) -> bytes:
    """A Glue job's script, as it is."""
    path = job_script_path(project, name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"can't read the job's script {path}: {error.strerror}") from None


def _python_files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}", "run lakectl where config/, jobs/, lambdas/ and queries/ are")
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}


def _read(files: Mapping[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files.items()}


def _zip(files: Mapping[str, bytes]) -> bytes:
    # Not compressed: what zlib makes of a file depends on its build, and two colleagues would redeploy in turn.
    # Lambda takes 50 MB in the call itself (Lambda quotas); ours are about 100 kB.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = UNIX
            entry.external_attr = READABLE
            archive.writestr(entry, files[name])
    return buffer.getvalue()
