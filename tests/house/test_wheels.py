"""`make wheels`: which pins lack a wheel, by the tags of their files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "check_wheels.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_wheels", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_wheels"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def pin(*files: str, **also: str) -> dict[str, Any]:
    wheels = [{"url": f"https://example.org/{file}"} for file in files]
    return {"name": "p", "version": "1", "wheels": wheels, **also}


def lacks(script: ModuleType, **package: Any) -> set[tuple[str, tuple[int, int]]]:
    return {(lack.platform, lack.python) for lack in script.lacking([package])}


def test_a_pure_wheel_fits_everywhere_and_a_source_archive_nowhere(script: ModuleType) -> None:
    assert lacks(script, **pin("p-1-py3-none-any.whl")) == set()
    assert len(lacks(script, **pin())) == len(script.PLATFORMS) * len(script.PYTHONS)


def test_a_wheel_fits_its_platform_and_python(script: ModuleType) -> None:
    found = lacks(
        script, **pin("p-1-cp311-abi3-macosx_11_0_universal2.whl", "p-1-cp312-cp312-manylinux_2_17_x86_64.whl")
    )
    assert {place for place, _ in found} == {"Linux x86_64", "Linux aarch64"}
    assert ("Linux x86_64", (3, 12)) not in found
    assert ("Linux x86_64", (3, 13)) in found


def test_a_wheel_for_a_newer_system_does_not_fit(script: ModuleType) -> None:
    new = lacks(script, **pin("p-1-py3-none-manylinux_2_39_x86_64.whl", "p-1-py3-none-macosx_26_0_arm64.whl"))
    assert len(new) == len(script.PLATFORMS) * len(script.PYTHONS)


def test_a_marker_leaves_out_what_is_not_installed_there(script: ModuleType) -> None:
    found = lacks(script, **pin(marker="sys_platform == 'darwin' and python_version >= '3.14'"))
    assert found == {("macOS 14 arm64", (3, 14)), ("macOS 13 x86_64", (3, 14))}


def test_a_pin_that_does_not_take_a_python_lacks_it(script: ModuleType) -> None:
    found = lacks(script, **pin("p-1-py3-none-any.whl", **{"requires-python": "<3.14"}))
    assert {python for _, python in found} == {(3, 14)}
