"""A plan in a file: what ``plan --out`` has shown, so that ``up FILE`` does that and nothing else.

The file holds no state of the account. ``up`` plans again and compares: what would now be done otherwise is refused.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakectl import __version__
from lakectl.engine.model import Plan, Step
from lakectl.errors import LakectlError, UsageError
from lakectl.ops import whole_file
from lakectl.ops.lake import Lake
from lakectl.ops.provision import refuse_foreign

FORMAT = 1
AGAIN = "lakectl plan --out {path}"
LONGEST_LIST = 5  # resources that a refusal names


@dataclass(frozen=True)
class Saved:
    """A plan file. ``made_for``: what lake, where, by which lakectl. ``steps``: resource id -> what was planned.

    ``adopt``: as the option of ``plan``.
    """

    path: Path
    made_for: dict[str, str]
    adopt: bool
    steps: dict[str, dict[str, Any]]


def write(lake: Lake, todo: Plan, path: Path, adopt: bool) -> None:
    """Write ``todo``, a plan of ``up`` for the whole lake.

    Raises as ``up`` for what is not the lake's, and :class:`UsageError` when the file can't be written.
    """
    refuse_foreign(lake, todo)
    content = {
        "format": FORMAT,
        "made_for": _made_for(lake),
        "adopt": adopt,
        "steps": {step.resource.id: _planned(step) for step in todo.steps},
    }
    whole_file.write(path, json.dumps({**content, "sha256": _digest(content)}, indent=2, ensure_ascii=False) + "\n")


def read(path: Path) -> Saved:
    """The plan file at ``path``. Raises :class:`UsageError` for one that is missing, damaged or of another format."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no plan file at {path}", AGAIN.format(path=path)) from None
    except OSError as error:
        raise UsageError(f"can't read the plan file {path}: {error.strerror}", AGAIN.format(path=path)) from None
    except ValueError:
        raise UsageError(f"{path} is no plan file, or damaged", AGAIN.format(path=path)) from None
    if not isinstance(content, dict) or content.pop("sha256", None) != _digest(content):
        raise UsageError(f"{path} is no plan file, or damaged", AGAIN.format(path=path))
    if content["format"] != FORMAT:
        raise UsageError(
            f"{path} has the format {content['format']} of plan files; this lakectl reads {FORMAT}",
            AGAIN.format(path=path),
        )
    return Saved(path, content["made_for"], content["adopt"], content["steps"])


def refuse_another(saved: Saved, lake: Lake) -> None:
    """Raise :class:`LakectlError` when the file was made for another lake or place, or by another lakectl."""
    for what, here in _made_for(lake).items():
        there = saved.made_for.get(what, "")
        if there != here:
            raise LakectlError(
                f"{saved.path} was made for {what} {there or 'none'}, and this is {here or 'none'}",
                AGAIN.format(path=saved.path),
            )


def refuse_changed(saved: Saved, todo: Plan) -> None:
    """Raise :class:`LakectlError` when ``todo``, the plan of now, is not the one of the file: the configuration, or the
    account, has changed since. Both name the resources."""
    now = {step.resource.id: _planned(step) for step in todo.steps}
    different = [key for key in {**saved.steps, **now} if saved.steps.get(key) != now.get(key)]
    if not different:
        return
    wanted = [key for key in different if _wanted(saved.steps.get(key)) != _wanted(now.get(key))]
    what = "the configuration has" if wanted else "the account has"
    raise LakectlError(
        f"{what} changed since {saved.path} was made, so nothing was changed: {_some(wanted or different)}",
        AGAIN.format(path=saved.path),
    )


def _made_for(lake: Lake) -> dict[str, str]:
    return {
        "lakectl": __version__,
        "lake": lake.config.name,
        "place": lake.aws.where,
        "endpoint": lake.config.endpoint_url or "",
        "account": lake.names.account,
        "region": lake.names.region,
    }


def _planned(step: Step) -> dict[str, Any]:
    """What is planned for one resource, and a digest of what it shall be: a CREATE names no fields."""
    resource = step.resource
    changes = [{"field": each.field, "old": each.old, "new": each.new} for each in step.changes]
    planned = {
        "action": step.action.value,
        "changes": changes,
        "awaits": step.awaits,
        "wanted": _digest({"fields": dict(resource.desired()), "tags": resource.tags}),
    }
    return dict(json.loads(_json(planned)))  # as it is read back


def _wanted(planned: dict[str, Any] | None) -> Any:
    return planned and planned["wanted"]


def _digest(value: Any) -> str:
    return hashlib.sha256(_json(value).encode()).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - LONGEST_LIST} more" if len(names) > LONGEST_LIST else ""
    return ", ".join(names[:LONGEST_LIST]) + more
