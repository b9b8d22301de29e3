"""What a person or a program sees. Commands hand over values; an output shows them.

:class:`Console` is for people (rich), :class:`Json` for programs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lakectl import tables
from lakectl.progress import Meter, Moved, unseen

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.text import Text

Mark = Literal["ok", "failed", "skipped", "note", "create", "change", "delete"]
WIDTH_WHEN_PIPED = 200
BAR_WIDTH = 20
BARS_WIDTH, LEAST_LABEL = 40, 8  # so that small charts below each other begin at one place
ITEM_INDENT = " " * 6
BLOCK = 10_000  # rows of an answer that are one table on a terminal: no more of it is in memory


class Output(Protocol):
    """How commands talk."""

    def say(self, text: str = "") -> None:
        """A line of plain text."""

    def heading(self, text: str) -> None:
        """Starts a part of what is shown."""

    def item(self, mark: Mark, text: str, detail: str = "") -> None:
        """Something that was done, failed or was skipped."""

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
        """A table; the columns in ``right`` are aligned to the right."""

    def bars(self, values: Sequence[tuple[str, float, str]]) -> None:
        """A bar for each (name, value of at least 0, the value as text)."""

    def data(
        self, columns: Sequence[str], rows: Iterator[Sequence[str | None]], right: Sequence[str], most: int | None
    ) -> int:
        """The rows that a query gave, ``None`` for NULL. A terminal shows ``most`` and leaves the others unread.

        Returns how many were shown.
        """

    def remark(self, text: str) -> None:
        """A line about the answer, which is no part of it: on standard error."""

    def stream(self, records: Iterable[tuple[str, Any]]) -> int:
        """The answer, a record at a time and never all in memory: (line for people, value for programs).

        Programs get one JSON array. Returns how many there were.
        """

    def record(self, text: str, value: Any) -> None:
        """One of a series without an end: a line for people, a JSON line for programs."""

    def event(self, **facts: Any) -> None:
        """Something that has just happened, for programs that watch."""

    def result(self, value: Any) -> None:
        """The command's answer for programs."""

    def busy(self, text: str) -> Any:
        """A context manager that shows work in progress; yields a function that changes the text."""

    def transfer(self, text: str, total: int) -> Any:
        """A context manager that shows ``total`` bytes moving, with rate and time left; yields a :class:`Moved`."""


class Console:
    """For people: colours and spinners on a terminal, plain lines elsewhere."""

    MARKS: Mapping[Mark, tuple[str, str]] = {
        "ok": ("✓", "green"),
        "failed": ("✗", "bold red"),
        "skipped": ("-", "dim"),
        "note": ("·", "cyan"),
        "create": ("+", "green"),
        "change": ("~", "yellow"),
        "delete": ("-", "red"),
    }

    def __init__(self) -> None:
        from rich.console import Console as RichConsole

        self._console = RichConsole(highlight=False)
        if not self._console.is_terminal:
            self._console = RichConsole(highlight=False, width=WIDTH_WHEN_PIPED)

    def say(self, text: str = "") -> None:
        indent = text[: len(text) - len(text.lstrip())]
        for line in text.split("\n"):
            for part in tables.wrapped(line, self._width, indent):
                self._line(part)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    @property
    def _width(self) -> int:
        """Of the terminal, else 0: a pipe gets each line whole."""
        return self._console.width if self._console.is_terminal else 0

    def heading(self, text: str) -> None:
        from rich.text import Text

        self._console.print()
        self._console.print(Text(text, style="bold"))

    def item(self, mark: Mark, text: str, detail: str = "") -> None:
        from rich.text import Text

        sign, style = self.MARKS[mark]
        first, *rest = tables.wrapped(f"  {sign} {text}" + (f"  {detail}" if detail else ""), self._width, ITEM_INDENT)
        line = Text(first)
        line.stylize(style, 2, 2 + len(sign))
        told = len(f"  {sign} {text}")
        if detail and len(first) > told:
            line.stylize("dim" if mark != "failed" else "red", told)
        for each in (line, *(Text(more, style="red" if mark == "failed" else "dim") for more in rest)):
            self._console.print(each, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
        self._lines(columns, [[tables.shown(value) for value in row] for row in rows], right)

    def bars(self, values: Sequence[tuple[str, float, str]]) -> None:
        from rich.bar import Bar
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        most = max((value for _, value, _ in values), default=0) or 1
        label = max((tables.cells(name) for name, _, _ in values), default=0)
        for name, value, text in values:
            bar = Bar(most, 0, value, width=BARS_WIDTH, color="cyan") if self._console.is_terminal else ""
            grid.add_row(Text(f"  {name:<{max(label, LEAST_LABEL)}}"), bar, Text(text, justify="right"))
        self._console.print(grid)

    def data(
        self, columns: Sequence[str], rows: Iterator[Sequence[str | None]], right: Sequence[str], most: int | None
    ) -> int:
        count = 0
        if not self._console.is_terminal:
            sys.stdout.write(tables.tsv(columns) + "\n")
            for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
                sys.stdout.write(tables.tsv(row) + "\n")
            return count
        rows = islice(rows, most)
        while block := [[tables.shown(value, tables.NULL) for value in row] for row in islice(rows, BLOCK)]:
            self._lines(columns, block, right)
            count += len(block)
        if not count:
            self._lines(columns, [], right)
        return count

    def _lines(self, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
        terminal = self._console.is_terminal
        lines = (
            tables.fitted(columns, rows, right, self._console.width) if terminal else tables.plain(columns, rows, right)
        )
        # A person reads a page at a time ($PAGER, else less). Not without a keyboard: nobody could turn the page.
        is_long = self._moves and len(lines) >= self._console.height and sys.stdin.isatty()
        if is_long:
            os.environ.setdefault("LESS", "FRX")  # as git does: less shows colours as colours and leaves the text there
        with self._console.pager(styles=True) if is_long else nullcontext():
            for line in lines:
                self._line(line)

    def remark(self, text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(text + "\n")

    def stream(self, records: Iterable[tuple[str, Any]]) -> int:
        count = 0
        for count, (text, _) in enumerate(records, start=1):  # noqa: B007 - the last one is the answer
            self._line(text)
        return count

    def record(self, text: str, value: Any) -> None:  # noqa: ARG002
        self._line(text)

    def event(self, **facts: Any) -> None:
        pass

    def result(self, value: Any) -> None:
        """People have seen it already."""

    @property
    def _moves(self) -> bool:
        """Whether lines can be written again: not in a pipe, nor on a terminal that says it is dumb."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    @contextmanager
    def busy(self, text: str) -> Iterator[Callable[[str], None]]:
        if not self._moves:
            yield lambda _: None
            return
        with self._console.status(self._short(text), spinner="dots") as status:
            yield lambda new: status.update(self._short(new))

    def _short(self, text: str) -> Text:
        """One line of the terminal, beside the spinner. It is written many times a second, so it must not wrap."""
        from rich.text import Text

        line = Text(text)
        line.truncate(self._console.width - len("⠋ "), overflow="ellipsis")
        return line

    @contextmanager
    def transfer(self, text: str, total: int) -> Iterator[Moved]:
        if not self._moves:
            yield unseen
            return
        meter = Meter(total)
        with _bar(self._console, text, meter):
            yield meter.add


class _Unseen:
    """Shows no work in progress."""

    @contextmanager
    def busy(self, text: str) -> Iterator[Callable[[str], None]]:  # noqa: ARG002
        yield lambda _: None

    @contextmanager
    def transfer(self, text: str, total: int) -> Iterator[Moved]:  # noqa: ARG002
        yield unseen


class Quiet(_Unseen, Console):
    """For people who want the answer only: tables, rows, and what failed."""

    def say(self, text: str = "") -> None:
        pass

    def heading(self, text: str) -> None:
        pass

    def item(self, mark: Mark, text: str, detail: str = "") -> None:
        if mark == "failed":
            super().item(mark, text, detail)

    def remark(self, text: str) -> None:
        pass


class Json(_Unseen):
    """For programs: the result as one JSON document on standard output, events as JSON lines on standard error."""

    def say(self, text: str = "") -> None:
        pass

    def heading(self, text: str) -> None:
        pass

    def item(self, mark: Mark, text: str, detail: str = "") -> None:
        pass

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
        pass

    def bars(self, values: Sequence[tuple[str, float, str]]) -> None:
        pass

    def data(self, *_: Any) -> int:
        return 0

    def remark(self, text: str) -> None:
        pass

    def stream(self, records: Iterable[tuple[str, Any]]) -> int:
        count = 0
        for count, (_, value) in enumerate(records, start=1):
            text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
            sys.stdout.write(("[\n" if count == 1 else ",\n") + text)
        sys.stdout.write("\n]\n" if count else "[]\n")
        return count

    def record(self, text: str, value: Any) -> None:  # noqa: ARG002
        sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def event(self, **facts: Any) -> None:
        sys.stderr.write(json.dumps(facts, default=str, ensure_ascii=False) + "\n")

    def result(self, value: Any) -> None:
        json.dump(value, sys.stdout, indent=2, default=str, ensure_ascii=False)
        sys.stdout.write("\n")


def human_bytes(size: float) -> str:
    """``1536`` → ``1.5 KiB``"""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:,.0f} B" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"


def human_seconds(seconds: float) -> str:
    """``75`` → ``1:15``"""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def progress_line(meter: Meter) -> str:
    """``12.0 MiB of 95.4 MiB  3.9 MiB/s  0:21 left``"""
    if meter.complete:
        return human_bytes(meter.total)
    parts = [f"{human_bytes(meter.done)} of {human_bytes(meter.total)}"]
    rate = meter.rate
    if rate:
        parts += [f"{human_bytes(rate)}/s", f"{human_seconds((meter.total - meter.done) / rate)} left"]
    return "  ".join(parts)


def _bar(console: RichConsole, text: str, meter: Meter) -> Any:
    """A context manager: a bar that tells what ``meter`` knows, and goes at its end."""
    from rich.progress import BarColumn, Progress, ProgressColumn, Task
    from rich.progress_bar import ProgressBar
    from rich.table import Column
    from rich.text import Text

    class Doing(ProgressColumn):
        def render(self, task: Task) -> Text:  # noqa: ARG002 - rich's signature
            return Text("completing" if meter.complete else text)

    class Bar(BarColumn):
        def render(self, task: Task) -> ProgressBar:
            # Never a full bar: the last step may take a while, and nothing is visible in S3 before it.
            task.completed, task.total = meter.done, None if meter.complete else meter.total
            return super().render(task)

    class Told(ProgressColumn):
        def render(self, task: Task) -> Text:  # noqa: ARG002 - rich's signature
            return Text(progress_line(meter))

    unbroken = Column(no_wrap=True)
    columns = (Doing(table_column=unbroken), Bar(bar_width=BAR_WIDTH), Told(table_column=unbroken))
    progress = Progress(*columns, console=console, transient=True)
    progress.add_task(text, total=meter.total)
    return progress
