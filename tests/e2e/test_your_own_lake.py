"""docs/your-own-lake.md, run with the wheel in an empty folder: public data sets, inferred, landed, queried, compared
with pandas, validated, and gone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas
import pytest
from installed_wheel import Installed, install
from transcripts import missing, outputs, steps

from lakectl import config
from lakectl.local.control import Endpoint

pytestmark = pytest.mark.long

DOCUMENT = Path(__file__).parents[2] / "docs/your-own-lake.md"
# How each file is written, for pandas: dates, and texts that mean no value.
DATES = {"weather": ("date", "%Y/%m/%d"), "stocks": ("date", "%b %d %Y"), "penguins": ("Date Egg", "%Y-%m-%d")}
NULLS = {"penguins": ["", "NA"]}


@dataclass(frozen=True)
class Transcript:
    """``outputs``: what each command but the last said; ``home``: the project's folder."""

    program: Installed
    home: Path
    outputs: list[str]

    def ask(self, sql: str) -> list[list[str | None]]:
        code, said = self.program.shell(f'lakectl query "{sql}" --json', self.home)
        assert code == 0, said
        rows: list[list[str | None]] = json.loads(said)["rows"]
        return rows


@pytest.fixture(scope="module")
def transcript(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Transcript:  # noqa: ARG001
    """All commands but the last one, which deletes the lake, typed into one shell."""
    folder = tmp_path_factory.mktemp("empty")
    program = install(tmp_path_factory.mktemp("wheel"))
    *most, last = steps(DOCUMENT)
    assert last.command == "lakectl down --yes"
    said = outputs(most, lambda script: program.shell(script, folder))
    return Transcript(program, folder / "seattle", said)


def test_the_commands_say_what_the_document_shows(transcript: Transcript) -> None:
    for step, output in zip(steps(DOCUMENT), transcript.outputs, strict=False):
        assert missing(step, output) == [], step.command


@pytest.mark.parametrize("source", ["weather", "stocks", "airports", "penguins"])
def test_silver_is_what_pandas_reads(transcript: Transcript, source: str) -> None:
    spec = config.load(transcript.home / "config/lake.yaml").sources[source]
    frame = pandas.read_csv(
        transcript.home / f"{source}.csv", dtype=str, keep_default_na=False, na_values=NULLS.get(source, [""])
    )
    if source in DATES:
        name, pattern = DATES[source]
        frame[name] = pandas.to_datetime(frame[name], format=pattern).dt.strftime("%Y-%m-%d")
    by_header = {column.name: column.header or column.name for column in spec.columns}
    lower = {str(name).lower(): name for name in frame.columns}
    ours = frame[[lower[header.lower()] for header in by_header.values()]]
    types = [column.type for column in spec.columns]
    expected = [tuple(map(value, row, types)) for row in ours.itertuples(index=False)]
    names = ", ".join(f'\\"{name}\\"' for name in by_header)
    answered = [tuple(map(value, row, types)) for row in transcript.ask(f"SELECT {names} FROM {source}_silver")]
    assert len(answered) > 300
    assert sorted(answered, key=repr) == sorted(expected, key=repr)


def value(text: Any, kind: str) -> object:
    if text is None or pandas.isna(text):
        return None
    if kind in ("int", "bigint", "double"):
        return float(text)
    if kind == "boolean":
        return str(text).lower() in ("true", "yes")
    return str(text)


def test_down_leaves_nothing(transcript: Transcript) -> None:
    code, said = transcript.program.shell(steps(DOCUMENT)[-1].command, transcript.home)
    assert code == 0, said
    assert "0 left." in said
