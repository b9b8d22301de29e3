"""``python -m benchmarks [FIGURE ...]``: measure and print; with ``--write``, write docs/benchmarks.md, too.

Exit code 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path

from benchmarks import page
from benchmarks.sandbox import Figure, Settings

FIGURES = (
    "everyday",
    "provisioning_up",
    "provisioning_plan",
    "provisioning_down",
    "landing",
    "events",
    "many_landings",
    "many_sources",
    "validate",
    "local_aws",
    "stored_state",
    "athena",
    "transform",
    "transform_sizes",
    "transform_modes",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"some of: {', '.join(FIGURES)} (default: all)")
    parser.add_argument(
        "--tutorial-scripts",
        default=os.environ.get("LAKECTL_TUTORIAL_SCRIPTS"),
        metavar="DIR",
        help="folder of tutorial_up.sh and tutorial_down.sh (LAKECTL_TUTORIAL_SCRIPTS)",
    )
    parser.add_argument(
        "--aws",
        default=os.environ.get("LAKECTL_BENCH_AWS") or shutil.which("aws"),
        metavar="PATH",
        help="the AWS CLI that the scripts use (LAKECTL_BENCH_AWS; default: the one on PATH)",
    )
    parser.add_argument("--write", action="store_true", help=f"put these figures into {page.PAGE.name}")
    given = parser.parse_args()
    unknown = set(given.figures) - set(FIGURES)
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is measured is compiled once, as an installed program is
    settings = Settings(_existing(parser, given.tutorial_scripts), _existing(parser, given.aws))
    kept = True
    measured: dict[str, list[Figure]] = {}
    for name in given.figures or FIGURES:
        measured[name] = import_module(f"benchmarks.{name}").measure(settings)
        for figure in measured[name]:
            mark = {None: " ", True: "✓", False: "✗"}[figure.met]
            promised = f"  (promised: {figure.promised})" if figure.promised else ""
            print(f"{mark} {figure.what}: {figure.measured}{promised}", flush=True)
            kept = kept and figure.met is not False
        if given.write:  # after each, since all of them take an hour
            page.write({name: measured[name]})
    return 0 if kept else 1


def _existing(parser: argparse.ArgumentParser, path: str | None) -> Path | None:
    if path is None:
        return None
    found = Path(path).expanduser().resolve()
    if not found.exists():
        parser.error(f"{found} does not exist")
    return found


if __name__ == "__main__":
    sys.exit(main())
