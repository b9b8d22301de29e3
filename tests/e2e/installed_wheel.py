"""The program as a person installs it: from the wheel. Nothing of the checkout is used but what the wheel needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
# The checkout is on the path too, behind all packages: what stands before it is what runs, in every process.
PROGRAM = """\
#!{python}
import os, sys
os.environ["PYTHONPATH"] = {site!r}
sys.path.insert(0, {site!r})
from lakectl.__main__ import main
main()
"""


@dataclass(frozen=True)
class Installed:
    """``site``: the unpacked wheel; ``programs``: a folder with the program ``lakectl``."""

    site: Path
    programs: Path

    def shell(self, command: str, cwd: Path) -> tuple[int, str]:
        """(exit code, output with errors) of what a person types."""
        path = os.pathsep.join((str(self.programs), str(Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
            env={**os.environ, "PATH": path}, timeout=570, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout


def install(folder: Path) -> Installed:
    """Build the checkout's wheel and unpack it in ``folder``."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=CHECKOUT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    installed = Installed(folder / "site-packages", folder / "programs")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed.site)
    installed.programs.mkdir()
    program = installed.programs / "lakectl"
    program.write_text(PROGRAM.format(python=sys.executable, site=str(installed.site)))
    program.chmod(0o755)
    where = [sys.executable, "-c", "import lakectl; print(lakectl.__file__)"]
    environ = {**os.environ, "PYTHONPATH": str(installed.site)}
    found = subprocess.run(where, env=environ, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    assert Path(found) == installed.site / "lakectl/__init__.py"
    return installed
