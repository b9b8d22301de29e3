"""Whatever a table holds, `land` takes its file with what is inferred of it."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest
from inferring import inferred_from

SECONDS, HALVES = ("", ":15", ":15.250", ":15Z"), ("AM", "PM")
WORDS = ("Ada", " Ada", "Ada ", 'A "d" a', "a,b", "a;b", "Björn", "'", "日本", "#1", "=1+1", "\\N", "\t", "a\\")
KINDS = {
    "whole": lambda r: str(r.randrange(-50, 5000)),
    "large": lambda r: str(r.randrange(10**8, 10**r.randrange(9, 21))),
    "zeros": lambda r: f"{r.randrange(100):04d}",
    "point": lambda r: f"{r.uniform(-5, 2000):.{r.randrange(4)}f}",
    "comma": lambda r: f"{r.uniform(-5, 2000):.{r.randrange(4)}f}".replace(".", ","),
    "money": lambda r: f"{r.randrange(10**6) / 100:.2f}",
    "grouped": lambda r: f"{r.randrange(10**7):,}",
    "german": lambda r: f"{r.randrange(10**7) / 100:,.2f}".translate(str.maketrans(",.", ".,")),
    "exponent": lambda r: f"{r.uniform(0, 1):.3e}",
    "day": lambda r: f"20{r.randrange(10, 30)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}",
    "slashes": lambda r: f"{r.randrange(1, 29):02d}/{r.randrange(1, 13):02d}/20{r.randrange(10, 30)}",
    "short": lambda r: f"{r.randrange(1, 13)}/{r.randrange(1, 29)}/{r.randrange(10, 30)}",
    "moment": lambda r: f"2024-01-{r.randrange(1, 29):02d}{r.choice('T ')}{r.randrange(24):02d}:30{r.choice(SECONDS)}",
    "american": lambda r: f"{r.randrange(1, 13)}/{r.randrange(1, 29)}/2024 {r.randrange(1, 13)}:05 {r.choice(HALVES)}",
    "truth": lambda r: r.choice(("true", "False", "TRUE")),
    "letter": lambda r: r.choice("YN"),
    "words": lambda r: r.choice(WORDS),
    "empty": lambda _: "",
}  # fmt: skip
OTHER = ("", "", " ", "NA", "-", "null", "x", "1")


def column(draw: random.Random, rows: int) -> list[str]:
    """Values of one kind, and now and then of another."""
    make = KINDS[draw.choice(list(KINDS))]
    odd = draw.choice((0, 0, 0.1, 0.5))
    return [draw.choice(OTHER) if draw.random() < odd else make(draw) for _ in range(rows)]


def as_csv(draw: random.Random, columns: list[list[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=draw.choice(",;\t|"), lineterminator=draw.choice(("\n", "\r\n")))
    writer.writerow([f"Column {place}" for place in range(len(columns))])
    writer.writerows(zip(*columns, strict=True))
    try:
        return out.getvalue().encode(draw.choice(("utf-8", "utf-8-sig", "cp1252")))
    except UnicodeEncodeError:
        return out.getvalue().encode()


def as_json(draw: random.Random, columns: list[list[str]]) -> bytes:
    def value(text: str) -> object:
        return draw.choice((text, None)) if not text.lstrip("-").isdecimal() else draw.choice((int(text), text))

    return "".join(
        json.dumps({f"column {place}": value(text) for place, text in enumerate(row)}) + "\n"
        for row in zip(*columns, strict=True)
    ).encode()


@pytest.mark.parametrize("seed", range(25))
def test_what_is_inferred_loads_the_file_it_came_from(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    rows = draw.choice((1, 2, 5, 40))
    columns = [column(draw, rows) for _ in range(draw.randrange(1, 7))]
    if draw.random() < 0.7:
        path, content = tmp_path / "a.csv", as_csv(draw, columns)
    else:
        path, content = tmp_path / "a.jsonl", as_json(draw, columns)
    path.write_bytes(content)
    inferred_from(str(path))
