"""``lakectl sql``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from lakectl.cli import answers, estimates
from lakectl.cli.answers import MOST_ROWS
from lakectl.cli.app import App, lake_command
from lakectl.cli.complaint import complain
from lakectl.errors import LakectlError, UsageError

if TYPE_CHECKING:
    from lakectl.shell.catalog import Catalog

COMMAND_HELP = {
    r"\d": "list the tables; \\d TABLE: its columns",
    r"\l": "list the databases",
    r"\c": "\\c DATABASE: use it; a table without a database is one of its tables",
    r"\s": "list the saved queries; \\s NAME: run one",
    r"\?": "this list",
    r"\q": "leave, as Ctrl-D does",
}
FURTHER = "See them with lakectl sql --all, or write them to a file: lakectl query SQL --out FILE"
CHANGES = ("CREATE", "DROP", "ALTER", "MSCK")  # what makes completion ask the catalog again


@lake_command("sql")
@click.option("--output", type=click.Choice(("table", "csv", "json")), help="How answers are printed.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--yes", is_flag=True, help="Don't ask before a query that may read much.")
@click.option("--all", "show_all", is_flag=True, help=f"Show all rows on a terminal, not the first {MOST_ROWS}.")
def sql(app: App, output: str | None, as_csv: bool, yes: bool, show_all: bool) -> None:
    """Type SQL for Athena, statement by statement.

    A statement may have many lines and ends with a semicolon. Tab completes tables, columns, functions and keywords,
    the arrow up brings back what was typed, also earlier. Ctrl-C cancels the statement that runs, on the server too, or
    clears what is typed. Ctrl-D leaves. \\? lists the shell's own commands; SHOW and DESCRIBE are Athena's.

    From a pipe or a file the statements run one after the other, and the first that fails ends it with exit code 1.

    \b
    Examples:
      lakectl sql
      lakectl sql < statements.sql
      echo "SHOW TABLES" | lakectl sql
    """
    app.json |= output == "json"
    Shell(app, answers.form_of(app, output, as_csv), yes=yes, show_all=show_all).run()


class Shell:
    """A shell on one lake. ``database``: where a table without one is looked for."""

    def __init__(self, app: App, form: str, *, yes: bool, show_all: bool) -> None:
        from lakectl.shell.catalog import Catalog

        self.app = app
        self.form = form
        self.yes = yes
        self.most = None if show_all else MOST_ROWS
        self.database = app.lake.names.silver_database
        self.catalog: Catalog = Catalog(app.lake)
        self.documents = 0  # of JSON, so far

    def run(self) -> None:
        from lakectl.shell import loop, prompt

        if not sys.stdin.isatty():
            self._each(prompt.piped())
            return
        if self.app.json:
            raise UsageError("JSON is for statements from a pipe or a file", "lakectl sql --json < statements.sql")
        lake = f"Lake {self.app.config.name!r} on {self.app.lake.aws.where}."
        click.echo(f"{lake} A statement ends with a semicolon; \\? for help.", err=True)
        loop.run(self._asking(), self.act, self._complain)

    def _asking(self) -> Callable[[], str]:
        from lakectl.project import state_dir
        from lakectl.shell import prompt
        from lakectl.shell.completion import SqlCompleter

        if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
            return prompt.plain(lambda: self.database)
        folder = state_dir()
        folder.mkdir(parents=True, exist_ok=True)
        completer = SqlCompleter(self.catalog, lambda: self.database, COMMAND_HELP)
        return prompt.full(folder / "sql_history", completer, lambda: self.database)

    def _each(self, statements: Iterator[str]) -> None:
        """Run what stands in a pipe. As JSON it is one list, with a document for each statement."""
        from lakectl.shell.loop import Ended

        try:
            for statement in statements:
                self.act(statement)
        except Ended:
            return
        finally:
            if self.app.json:
                sys.stdout.write("]\n" if self.documents else "[]\n")

    def act(self, statement: str) -> None:
        """Run a statement, or a command of the shell, and show what it gives."""
        if statement.startswith("\\"):
            self._command(statement)
        else:
            self._ask(statement)

    def _ask(self, statement: str) -> None:
        from lakectl.ops.tables import query
        from lakectl.saved_queries import first_word

        estimates.ask_first(self.app, statement, self.database, yes=self.yes)
        with self.app.out.busy("running; Ctrl-C cancels it"):
            answer = query.ask(self.app.lake, statement, database=self.database)
        if first_word(statement) in CHANGES:
            self.catalog.forget()
        self._begin_document()
        answers.show(self.app, answer, self.form, self.most, FURTHER)

    def _begin_document(self) -> None:
        if self.app.json:
            sys.stdout.write("," if self.documents else "[\n")
        self.documents += 1

    def _command(self, line: str) -> None:
        word, _, argument = line.rstrip(";").partition(" ")
        argument = argument.strip().strip('"')
        acts: dict[str, Callable[[str], None]] = {
            r"\d": self._tables,
            r"\l": self._databases,
            r"\c": self._use,
            r"\s": self._saved,
            r"\?": self._help,
            r"\q": self._leave,
        }
        if word not in acts:
            raise UsageError(
                f"the shell has no command {word}", r"\? lists them; SQL has no backslash outside of texts"
            )
        acts[word](argument)

    def _table(self, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        self._begin_document()
        self.app.out.table(columns, rows)
        self.app.out.result([dict(zip(columns, row, strict=True)) for row in rows])

    def _tables(self, named: str) -> None:
        database, _, name = named.rpartition(".")
        database = database or self.database
        found = self.catalog.tables(database)
        if not name:
            self._table(("table", "format"), [(each.name, each.format) for each in found])
            return
        table = next((each for each in found if each.name == name.lower()), None)
        if table is None:
            raise UsageError(f"there is no table {database}.{name}", r"\d lists the tables, \l the databases")
        columns = table.columns
        self._table(("column", "type", "comment"), [(each.name, each.type, each.comment) for each in columns])

    def _databases(self, _: str) -> None:
        self._table(("database",), [(name,) for name in self.catalog.databases()])

    def _use(self, name: str) -> None:
        if name not in self.catalog.databases():
            raise UsageError(f"there is no database {name!r}" if name else "no database is named", r"\l lists them")
        self.database = name

    def _saved(self, name: str) -> None:
        from lakectl import saved_queries
        from lakectl.ops.tables import query

        lake = self.app.lake
        if name:
            self._ask(query.resolve(lake, name))
        else:
            saved = saved_queries.load(lake.project, lake.names)
            self._table(("name", "what it asks"), [(each.name, each.title) for each in saved])

    def _help(self, _: str) -> None:
        self._table(("command", "what it does"), list(COMMAND_HELP.items()))

    def _leave(self, _: str) -> None:
        from lakectl.shell.loop import Ended

        raise Ended

    def _complain(self, message: str, hint: str | None) -> None:
        complain(LakectlError(message, hint), as_json=False)


COMMANDS = {"sql": sql}
