"""The local Athena runs on what `lakectl[local]` asks for: tests bring more packages than a user has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import importlib.abc
import sys
from importlib.metadata import distributions, requires
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

wanted, todo = set(), [("lakectl", frozenset(["local"]))]
while todo:
    name, extras = todo.pop()
    if (name, extras) in wanted:
        continue
    wanted.add((name, extras))
    for line in requires(name) or ():
        each = Requirement(line)
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras or [""]):
            todo.append((canonicalize_name(each.name), frozenset(each.extras)))
names = {name for name, _ in wanted}
others = {
    file.parts[0].removesuffix(".py")
    for each in distributions()
    if canonicalize_name(each.metadata["Name"]) not in names
    for file in each.files or ()
}
assert "pandas" in others and "duckdb" not in others and "pytest" in others


class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in others:
            raise ModuleNotFoundError(f"lakectl[local] does not ask for {fullname}", name=fullname)
        return None


sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from semantics import answer, cases
from lakectl.local.athena.session import Session

session = Session(Path(sys.argv[2]))
found = [(case.sql, case.wanted, answer(session, case.sql)) for case in list(cases())[::7] if not case.is_error]
wrong = [each for each in found if each[1] != each[2]]
assert len(found) > 50
sys.exit("\\n".join(map(str, wrong)) if wrong else 0)
"""


def test_nothing_else_is_imported(tmp_path: Path) -> None:
    """A wheel without numpy could answer no query: pandas, which tests use, had brought it."""
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
