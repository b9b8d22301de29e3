"""Sources of files, and the program run in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from inferring import Files, Inferred, Ran, inferred_from, write

from lakectl.cli.main import run


@pytest.fixture
def infer(tmp_path: Path) -> Callable[[Files], Inferred]:
    """``infer({"orders.csv": "id,…"})``: what is inferred from files with this content."""
    return lambda files: inferred_from(*map(str, write(tmp_path, files)))


@pytest.fixture
def lakectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """``lakectl("init", "x")``: the program in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def start(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(list(arguments))
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return start
