"""The files of a new project, and writing them where nothing is in their way."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from lakectl.errors import UsageError
from lakectl.ops.init import config_text, start_queries
from lakectl.ops.init.config_text import TEMPLATES
from lakectl.ops.init.draft import Draft
from lakectl.ops.init.names import lake_name
from lakectl.ops.landing import landing_file
from lakectl.project import shipped_root

_DEMO = ("lakectl demo          # sample data, the lake, a run, the checks", "lakectl query --list", "lakectl down")


def files(folder: Path, name: str | None, drafts: Sequence[Draft] = (), *, eject: bool = False) -> dict[str, bytes]:
    """Path below ``folder`` -> content, of a project with the sources of ``drafts``, or of the tutorial when there are
    none. ``name``: of the lake (default: the folder's). ``eject``: ``jobs/`` and ``lambdas/``, too."""
    name = name or lake_name(folder.resolve().name)
    if drafts:
        config = config_text.own(name, drafts)
        queries = start_queries.queries(drafts, config_text.databases(name)[1])
        found = {f"queries/{each}": text.encode() for each, text in queries.items()}
        lands = land_commands(folder, drafts)
        commands = ("lakectl plan", "lakectl up", *lands, "lakectl query 01", "lakectl validate", "lakectl down")
        steps = ("lakectl up", *_if_inside(folder, drafts, lands), "lakectl down --yes")
    else:
        config = config_text.tutorial(name)
        found = _tree("queries")
        commands, steps = _DEMO, ("lakectl demo", "lakectl down --yes")
    found["config/lake.yaml"] = config.encode()
    found[".gitignore"] = (TEMPLATES / "gitignore").read_bytes()
    found["README.md"] = _template("README.md", name=name, commands="\n".join(f"    {each}" for each in commands))
    found[".github/workflows/lake.yml"] = _template(
        "workflow.yml", steps="\n".join(f"      - run: {each}" for each in steps)
    )
    if eject:
        found |= _tree("jobs") | _tree("lambdas")
    return dict(sorted(found.items()))


def write(
    folder: Path, content: Mapping[str, bytes], way_out: str = "name another folder: lakectl init FOLDER"
) -> None:
    """Write all files below ``folder``, or none. ``way_out``: the hint when some are there.

    Raises UsageError, naming them, when some are there already, and when the folder can't be written.
    """
    taken = [path for path in content if (folder / path).exists() or (folder / path).is_symlink()]
    if taken:
        raise UsageError(
            f"{_these(taken)} {'is' if len(taken) == 1 else 'are'} in {folder}/ already; nothing was written",
            way_out,
        )
    written: list[Path] = []
    made: list[Path] = []
    try:
        for path, data in content.items():
            target = folder / path
            made += [parent for parent in target.parents if not parent.exists() and parent not in made]
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                written.append(target)
                file.write(data)
    except BaseException as error:
        for target in written:
            target.unlink(missing_ok=True)
        for parent in sorted(made, reverse=True):
            if parent.is_dir():
                parent.rmdir()
        if isinstance(error, OSError):
            raise UsageError(f"can't write {folder}/: {error.strerror or error}; nothing was written") from None
        raise


def land_commands(folder: Path, drafts: Sequence[Draft]) -> list[str]:
    """What lands the files that the drafts were made of, as it is typed in ``folder``. Sources that others look up go
    first, files whose names say their source together; the last command waits for the run."""
    together = [draft for draft in drafts if len(draft.files) == 1 and _says(draft.files[0], draft)]
    alone = [draft for draft in drafts if draft not in together]
    commands = [_land(folder, [draft], f" --source {draft.name}") for draft in alone if not draft.starts_run]
    commands += [_land(folder, together)] if together else []
    commands += [_land(folder, [draft], f" --source {draft.name}") for draft in alone if draft.starts_run]
    return [*commands[:-1], f"{commands[-1]} --wait"]


def _land(folder: Path, drafts: Sequence[Draft], source: str = "") -> str:
    paths = _seen_from(folder, [path for draft in drafts for path in draft.files])
    batch = " --batch auto" if any(len(draft.files) > 1 for draft in drafts) else ""
    return f"lakectl land {' '.join(shlex.quote(str(path)) for path in paths)}{source}{batch}"


def _says(path: Path, draft: Draft) -> bool:
    """Whether `land` finds the source in the file's name."""
    try:
        return bool(landing_file.source_of(path, {draft.name: draft.spec}))
    except UsageError:
        return False


def _seen_from(folder: Path, paths: Iterable[Path]) -> list[Path]:
    home = folder.resolve()
    full = [path.resolve() for path in paths]
    return [path.relative_to(home) if path.is_relative_to(home) else path for path in full]


def _if_inside(folder: Path, drafts: Sequence[Draft], lands: list[str]) -> list[str]:
    """The commands that land files, and the checks, where a clone of the project has these files."""
    paths = [path for draft in drafts for path in _seen_from(folder, draft.files)]
    return [*lands, "lakectl validate"] if not any(path.is_absolute() for path in paths) else []


def _tree(part: str) -> dict[str, bytes]:
    """The shipped files below ``part``."""
    root = shipped_root()
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted((root / part).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _template(file: str, **values: str) -> bytes:
    return Template((TEMPLATES / file).read_text(encoding="utf-8")).substitute(values).encode()


def _these(paths: Sequence[str]) -> str:
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
