"""``config/lake.yaml`` of a new project: the shipped one with names of its own, and its own sources in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from lakectl.ops.init import source_yaml
from lakectl.ops.init.draft import Draft
from lakectl.project import PACKAGE, shipped_root
from lakectl.spec import parsing, yaml_items

TEMPLATES = PACKAGE / "templates"
_INFERRED = "# Inferred from your files. The comments say what was unsure: read them, and change what is wrong.\n"


def tutorial(name: str) -> str:
    """The tutorial's configuration for a lake of this name."""
    return replaced(_shipped(), {("name",): name})


def own(name: str, drafts: Sequence[Draft]) -> str:
    """The configuration of a lake with the sources of ``drafts``: nothing in it is called as in the tutorial."""
    # Nobody can have taken such a name before, nor take it once it is free again.
    text = replaced(_shipped(), {("name",): name, ("buckets", "namespace"): "account-regional", **_names(name)})
    text = re.sub(r"(?m)^views: \[[^\]]*\] *", "views: []    ", text)  # those of the tutorial are about its sources
    text = _with_sources(text, drafts)
    if any(draft.left_out for draft in drafts):
        text = replaced(text, {("schema_evolution",): "ignore"})
    document = yaml_items.load(text, "config/lake.yaml")
    parsing.parse_lake(document, lambda: document)  # refused here, it would be our mistake: nothing is written then
    return text


def _shipped() -> str:
    return (shipped_root() / "config/lake.yaml").read_text(encoding="utf-8")


def databases(name: str) -> tuple[str, str]:
    """The bronze and the silver database of a lake of this name. Their names take no hyphen."""
    plain = name.replace("-", "_")
    return f"{plain}_bronze", f"{plain}_silver"


def _names(name: str) -> dict[tuple[str, ...], str]:
    """Dotted key -> the lake's own name for it, for all names that an account can have once."""
    bronze, silver = databases(name)
    return {
        ("buckets", "raw", "name"): "{name}-lake-raw",
        ("buckets", "silver", "name"): "{name}-lake-silver",
        ("buckets", "tmp", "name"): "{name}-lake-tmp",
        ("landing", "prefix"): f"{name}/",
        ("run_log", "table"): f"{name.replace('-', '_')}_ingestion_runs",
        ("functions", "log_ingestion_run", "name"): f"{name}-log-ingestion-run",
        ("functions", "log_ingestion_run", "role"): f"{name}-log-role",
        ("functions", "start_glue_job", "name"): f"{name}-start-glue-job",
        ("functions", "start_glue_job", "role"): f"{name}-start-role",
        ("functions", "dead_letter_queue"): f"{name}-failed-events",
        ("glue", "bronze_database"): bronze,
        ("glue", "silver_database"): silver,
        ("glue", "job"): f"{name}_bronze_to_silver",
        ("glue", "maintenance_job"): f"{name}_maintenance",
        ("glue", "role"): f"{name}-glue-role",
        ("maintenance", "optimizer_role"): f"{name}-optimizer-role",
        ("athena", "workgroup"): f"{name}-wg",
        ("triggers", "orders_rule"): f"{name}-on-landed",
        ("triggers", "drain_rule"): f"{name}-on-transform-ended",
        ("triggers", "daily_rule"): f"{name}-daily",
    }


def replaced(text: str, new: Mapping[tuple[str, ...], str]) -> str:
    """``text`` with the scalars at the keys of ``new`` written anew; all else stays, comments too.

    Raises KeyError for a key that the text does not have.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    places = []
    for keys, value in new.items():
        node: Any = root
        for key in keys:
            pairs = {pair[0].value: pair[1] for pair in node.value} if isinstance(node, yaml.MappingNode) else {}
            if key not in pairs:
                raise KeyError(".".join(keys))
            node = pairs[key]
        places.append((node.start_mark.index, node.end_mark.index, source_yaml.scalar(value)))
    for start, end, value in sorted(places, reverse=True):
        room = re.match(r" {2,}(?=#)", text[end:])
        if room:  # the comment behind it keeps its column
            gap = max(1, len(room[0]) + end - start - len(value))
            text = text[:start] + value + " " * gap + text[end + len(room[0]) :]
        else:
            text = text[:start] + value + text[end:]
    return text


def _with_sources(text: str, drafts: Sequence[Draft]) -> str:
    """``text`` with ``drafts`` in its section ``sources``. The comment above that, which explains the keys, stays."""
    lines = text.splitlines(keepends=True)
    start = lines.index("sources:\n")
    end = next(number for number in range(start + 1, len(lines)) if re.match(r"[^\s#]", lines[number]))
    while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
        end -= 1  # the comment of the next section
    sources = "\n".join(source_yaml.source(draft) for draft in drafts)
    return "".join([*lines[:start], _INFERRED, lines[start], sources, *lines[end:]])
