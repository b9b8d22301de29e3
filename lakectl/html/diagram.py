"""The lake's picture: boxes and arrows with their places, from the source files at the left to Athena at the right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakectl.ops.report.model import Picture, SourceBox

WIDE, GAP = 158, 26  # a column and the space beside it, in pixels of the drawing
BOX, SPACE = 66, 12  # the height of a source's box, and the space below it
STEP_BOX = 72
LEAST_HEIGHT = 330
MOST_SOURCES = 12
TITLE_CHARACTERS, LINE_CHARACTERS, MOST_LINES = 19, 23, 3


@dataclass(frozen=True)
class Box:
    """``kind`` is the class of its colour. ``full``: the text that may be shortened in ``lines``."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
    lines: Sequence[str]
    full: str

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def texts(self) -> list[tuple[float, str]]:
        """(baseline, line) of each line, below the title; together they stand in the middle of the box."""
        top = self.middle - (16 + 13 * len(self.lines)) / 2
        return [(top + 27 + 13 * place, line) for place, line in enumerate(self.lines)]

    @property
    def title_y(self) -> float:
        return self.middle - (16 + 13 * len(self.lines)) / 2 + 12


@dataclass(frozen=True)
class Diagram:
    width: float
    height: float
    boxes: Sequence[Box]
    arrows: Sequence[str]  # SVG paths
    labels: Sequence[tuple[float, float, str]]  # (middle, baseline, text)


def diagram(picture: Picture, stored: Mapping[str, str]) -> Diagram:
    """The drawing. ``stored``: source → what is said of its silver table, such as the number of rows."""
    shown = picture.sources[:MOST_SOURCES]
    more = len(picture.sources) - len(shown)
    places = len(shown) + bool(more)
    height = max(LEAST_HEIGHT, places * (BOX + SPACE) - SPACE)
    top = (height - (places * (BOX + SPACE) - SPACE)) / 2

    def box(column: int, y: float, tall: float, kind: str, title: str, *lines: str) -> Box:
        wrapped = [part for line in lines for part in wrap(line)]
        full = "\n".join((title, *lines))
        return Box(column * (WIDE + GAP), y, WIDE, tall, kind, _cut(title, TITLE_CHARACTERS), wrapped, full)

    def step(column: int, part: float, kind: str, title: str, *lines: str) -> Box:
        return box(column, height * part - STEP_BOX / 2, STEP_BOX, kind, title, *lines)

    files, silver = [], []
    for place, source in enumerate(shown):
        y = top + place * (BOX + SPACE)
        files.append(box(0, y, BOX, "source", source.name, *_about(source)))
        silver.append(box(5, y, BOX, "table", source.table, *_stored(source, stored)))
    if more:
        y = top + len(shown) * (BOX + SPACE)
        files.append(box(0, y, BOX, "source", f"and {more} more sources"))
        silver.append(box(5, y, BOX, "table", f"and {more} more tables"))
    raw = box(1, 0, height, "store", "Raw bucket", picture.raw_bucket, picture.prefix)
    log = step(2, 0.16, "function", "Log function", picture.log_function)
    rule = step(2, 0.48, "event", "EventBridge rule", picture.landed_rule)
    daily = step(2, 0.79, "event", "Schedule", picture.daily_rule, picture.schedule or "switched off")
    ledger = step(3, 0.16, "store", "Run log", picture.run_log)
    starter = step(3, 0.48, "function", "Starter function", picture.start_function)
    job = box(4, 0, height, "job", "Glue job", picture.job, picture.engine)
    athena = box(6, 0, height, "query", "Athena", picture.workgroup, picture.silver_database)
    arrows = [_straight(file.right, raw.x, file.middle) for file in files]
    arrows += [_straight(raw.right, other.x, other.middle) for other in (log, rule)]
    arrows += [_straight(log.right, ledger.x, log.middle), _straight(rule.right, starter.x, rule.middle)]
    arrows += [_straight(ledger.right, job.x, ledger.middle), _straight(starter.right, job.x, starter.middle)]
    arrows.append(f"M{daily.right},{daily.middle} H{starter.x + WIDE / 2} V{starter.y + STEP_BOX}")
    arrows.append(_straight(raw.right, job.x, height - 8))
    for table in silver:
        arrows += [_straight(job.right, table.x, table.middle), _straight(table.right, athena.x, table.middle)]
    boxes = [*files, raw, log, rule, daily, ledger, starter, job, *silver, athena]
    labels = [((raw.right + job.x) / 2, height - 14, "the files")]
    return Diagram(athena.right, height, boxes, arrows, labels)


def wrap(text: str, width: int = LINE_CHARACTERS) -> list[str]:
    """At most MOST_LINES lines of a name, broken behind ``- _ / .`` and spaces where that is possible."""
    lines = [""]
    for part in re.findall(r"[^-_/. ]*[-_/. ]?", text):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
        while len(lines[-1].rstrip()) > width:
            lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    kept = [line.strip() for line in lines if line.strip()]
    return kept if len(kept) <= MOST_LINES else [*kept[: MOST_LINES - 1], _cut(kept[MOST_LINES - 1] + "…", width)]


def _about(source: SourceBox) -> list[str]:
    starts = ["starts a run"] if source.starts_run else []
    looks_up = [_cut(f"looks up {', '.join(source.lookups)}", LINE_CHARACTERS)] if source.lookups else []
    return [_cut(f"{source.file}, {source.loading}", LINE_CHARACTERS), *starts, *looks_up]


def _stored(source: SourceBox, stored: Mapping[str, str]) -> list[str]:
    by = [_cut(f"by {', '.join(source.partition_by)}", LINE_CHARACTERS)] if source.partition_by else []
    return [stored.get(source.name, ""), *by]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _straight(left: float, right: float, y: float) -> str:
    return f"M{left},{y} H{right}"
