"""The pages: every value of the lake is text in them, no script stands in them, a fault is one line."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from console_client import EVIL, FROM_HERE, ORIGIN, broken, browser, console_of, lake_of, nothing

from lakectl.console import app as application
from lakectl.console.app import STATIC
from lakectl.engine.model import Change
from lakectl.errors import LakectlError
from lakectl.ops.checks.validate import Check
from lakectl.ops.console import catalog, contents, job_runs, overview, resources
from lakectl.ops.console.catalog import Column, Table
from lakectl.ops.console.check_run import CheckState
from lakectl.ops.console.contents import DataFile, Files, Partitions
from lakectl.ops.console.iceberg import Field, TableState, TableStates
from lakectl.ops.console.job_runs import LogPage, RunDetail, SourceCounts
from lakectl.ops.console.overview import Counted, Silver, Waiting
from lakectl.ops.console.resources import ResourceRow, Resources
from lakectl.ops.console.statements import Look, Statements
from lakectl.ops.report import runs
from lakectl.ops.report.model import LandingRow, Landings, Partition, Rows, RunRow, Section
from lakectl.ops.runs.transform import JobRun
from lakectl.ops.tables.snapshots import Snapshot
from lakectl.spec.evolution import Evolution

PAGES = [path for path, _ in application.PAGES]
PARTS = ["/overview/now", "/resources/now", "/landings/now", "/runs/now", "/runs/x/now", "/runs/x/log", "/query/x",
         "/tables/now", "/tables/d/t/now", "/tables/d/t/partitions", "/tables/d/t/files", "/checks/now"]  # fmt: skip


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.text = html, ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def of(path: str, *, allow_writes: bool = False, status: int | None = None, **about: Any) -> Page:
    client = browser(*console_of(lake_of(nothing), allow_writes=allow_writes, **about))
    answer = client.get(path, base_url=ORIGIN)
    assert answer.status_code in ((status,) if status else (200, 286)), answer.text
    assert answer.mimetype == "text/html"
    return Page(answer.text)


@pytest.fixture
def evil(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A lake whose every text is hostile."""
    run = RunRow(f"jr_{EVIL}", f"FAILED{EVIL}", f"2026-01-01T{EVIL}", 3, 0.1, EVIL, {"read": 3, EVIL: 1})
    landing = LandingRow(EVIL, EVIL, EVIL, 3, EVIL, 1, EVIL, EVIL)
    snapshot = Snapshot(EVIL, None, EVIL, EVIL, 1, 2, 3, True, True)
    table = Table("d", f"t{EVIL}", EVIL, EVIL, EVIL, "s3://m", [Column(EVIL, EVIL, EVIL)])
    state = TableState([Field(EVIL, EVIL, EVIL, True)], [EVIL], [snapshot, snapshot], 3, 1, 10, 2)
    detail = RunDetail(JobRun(EVIL, EVIL, EVIL), [SourceCounts(EVIL, {EVIL: 1}, EVIL)], [(EVIL, EVIL)], 2, {EVIL: 1})
    differences = list(resources.differences(Change(EVIL, {EVIL: EVIL}, {EVIL: [EVIL]})))
    resource = ResourceRow(EVIL, EVIL, EVIL, "drifted", EVIL, differences)
    rows = Rows([EVIL, "n"], ["varchar", "double"], [[EVIL, "1"], [None, "2"]], True, 1, 1)
    for module, name, value in (
        (overview, "silver", Silver({"orders": EVIL}, 1, 3, 10)),
        (overview, "waiting", Waiting(Counted(1, True), Counted(2, False))),
        (overview, "last_run", run),
        (runs, "landings", Landings([landing], True)),
        (runs, "runs", [run]),
        (job_runs, "detail", detail),
        (job_runs, "log_page", LogPage([EVIL, EVIL], EVIL, EVIL, True)),
        (catalog, "tables", [table]),
        (catalog, "table", table),
        (contents, "partitions", Partitions([Partition(EVIL, 1, 1, 1), Partition("2", 1, 1, 1)], True)),
        (contents, "files", Files([DataFile(EVIL, EVIL, 1, 1)], True)),
        (resources, "resources", Resources([resource], Evolution())),
    ):
        monkeypatch.setattr(module, name, lambda *_, value=value, **__: value)
    monkeypatch.setattr(TableStates, "of", lambda *_: state)
    monkeypatch.setattr(Statements, "look", lambda *_: Look(EVIL, EVIL, "SUCCEEDED", 1.0, 3, "", rows))
    checks = type("Checks", (), {})()
    check = Check(EVIL, EVIL, False, EVIL, EVIL, 0.1)
    checks.state = lambda: CheckState(True, True, False, [check], EVIL, Section(problem=EVIL))
    return {"checks": checks}


@pytest.mark.parametrize("path", PARTS)
def test_every_text_of_the_lake_is_escaped(path: str, evil: dict[str, Any]) -> None:
    page = of(path, **evil)
    assert not {"script", "iframe", "img", "object"} & {tag for tag, _ in page.tags}
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.html
    assert "\x07" not in page.html


@pytest.mark.parametrize("path", [*PAGES, *PARTS])
@pytest.mark.parametrize("allow_writes", [False, True])
def test_no_page_has_scripts_or_styles_inside(
    path: str, allow_writes: bool, evil: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy of the console forbids them, and htmx' own way to run them."""
    monkeypatch.setattr(catalog, "table", lambda *_: Table("d", "t", "", "", "", "s3://m", []))
    for tag, attributes in of(path, allow_writes=allow_writes, **evil).tags:
        assert tag != "style"
        assert (tag == "script") == bool(attributes.get("src", "")), attributes
        for name in attributes:
            assert not re.match(r"on|style$|hx-on|hx-vals|hx-vars|hx-headers|hx-ext", name), (tag, name)
        trigger = attributes.get("hx-trigger") or ""
        assert "[" not in trigger  # a filter of htmx is evaluated
        for name in ("src", "href", "action", "hx-get", "hx-post"):
            address = attributes.get(name) or "/"
            assert re.match(r"/(?!/)", address), (tag, address)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_nothing_by_itself(path: str) -> None:
    """What is shown first asks AWS for nothing: a page that was opened in the background costs nothing."""
    assert "lake demo" in of(path).text.replace("·", "").replace("  ", " ")


def denied() -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": EVIL}}, "GetJobRuns")


@pytest.mark.parametrize("path", [*PARTS[:5], *PARTS[7:11]])
@pytest.mark.parametrize(
    "error", [denied(), EndpointConnectionError(endpoint_url="http://x"), LakectlError(EVIL, "lakectl up")]
)
def test_what_can_not_be_read_is_said_in_its_place(path: str, error: Exception) -> None:
    client = browser(*console_of(lake_of(broken(error))))
    answer = client.get(path, base_url=ORIGIN)
    assert answer.status_code == 200
    assert 'class="problem' in answer.text
    assert "Traceback" not in answer.text
    assert "<script>alert" not in answer.text


def test_a_fault_of_ours_is_one_line_and_the_console_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    client = browser(*console_of(lake_of(broken(ZeroDivisionError(EVIL)))))
    answer = client.get("/landings/now", base_url=ORIGIN)
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text
    assert "<script>alert" not in answer.text
    assert client.get("/landings", base_url=ORIGIN).status_code == 200
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "path", ["/nowhere", "/static/app.py", "/static/..%2fapp.py", "/landings?kind=RUN", "/query?saved=99"]
)
def test_what_is_not_there_is_404(path: str) -> None:
    client = browser(*console_of(lake_of(nothing)))
    assert client.get(path, base_url=ORIGIN).status_code == 404


def test_the_files_of_the_pages_are_there() -> None:
    client = browser(*console_of(lake_of(nothing)))
    for name in STATIC:
        answer = client.get(f"/static/{name}", base_url=ORIGIN)
        assert answer.status_code == 200
        assert len(answer.data) > 300
    assert b'version:"2.0.10"' in client.get("/static/htmx.min.js", base_url=ORIGIN).data


# ---- Writing


class Glue:
    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []

    def start_job_run(self, **request: Any) -> dict[str, str]:
        self.started.append(request)
        return {"JobRunId": "jr_1"}


@pytest.fixture
def glue() -> Glue:
    return Glue()


def test_without_the_flag_no_run_is_started(glue: Glue) -> None:
    client = browser(*console_of(lake_of(lambda _: glue)))
    assert client.post("/runs/start", base_url=ORIGIN, headers=FROM_HERE).status_code == 403
    assert glue.started == []
    assert "Start a run" not in client.get("/runs", base_url=ORIGIN).text


def test_with_the_flag_a_run_is_started_after_a_question(glue: Glue) -> None:
    client = browser(*console_of(lake_of(lambda _: glue), allow_writes=True))
    (button,) = [attrs for tag, attrs in Page(client.get("/runs", base_url=ORIGIN).text).tags if tag == "button"]
    assert (button["hx-post"], str(button["hx-confirm"])[:19]) == ("/runs/start", "Start a run of the ")
    answer = client.post("/runs/start", base_url=ORIGIN, headers=FROM_HERE)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/runs/jr_1")
    assert len(glue.started) == 1


class Athena:
    """Takes each statement; ``state`` is that of all."""

    def __init__(self, state: str = "RUNNING") -> None:
        self.state = state
        self.sent: list[str] = []
        self.stopped: list[str] = []

    def start_query_execution(self, *, QueryString: str, **_: Any) -> dict[str, str]:
        self.sent.append(QueryString)
        return {"QueryExecutionId": f"q{len(self.sent)}"}

    def stop_query_execution(self, *, QueryExecutionId: str) -> None:
        self.stopped.append(QueryExecutionId)
        self.state = "CANCELLED"

    def get_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:
        return {"QueryExecution": {"QueryExecutionId": QueryExecutionId, "Status": {"State": self.state}}}


def test_without_the_flag_no_write_reaches_athena_and_the_flag_is_named() -> None:
    athena = Athena()
    client = browser(*console_of(lake_of(lambda _: athena)))
    for sql in ("DROP TABLE t", "SELECT 1; DROP TABLE t", "EXPLAIN ANALYZE DELETE FROM t", ""):
        answer = client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data={"sql": sql})
        assert "--allow-writes" in answer.text or not sql
        assert 'class="problem' in answer.text
    assert athena.sent == []
    client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data={"sql": "SELECT /* why */ 1;"})
    assert athena.sent == ["SELECT   1"]


def test_with_the_flag_any_statement_is_sent_as_it_stands() -> None:
    athena = Athena()
    client = browser(*console_of(lake_of(lambda _: athena), allow_writes=True))
    client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data={"sql": "DROP TABLE t -- now"})
    assert athena.sent == ["DROP TABLE t -- now"]


def test_the_pages_statement_is_stopped_when_it_sends_another_or_at_cancel() -> None:
    athena = Athena()
    client = browser(*console_of(lake_of(lambda _: athena)))
    for number in (1, 2):
        data = {"sql": f"SELECT {number}", "earlier": f"q{number - 1}"}
        assert f"/query/q{number}" in client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data=data).text
    assert athena.stopped == ["q1"]
    athena.state = "RUNNING"
    assert "Cancel" in client.get("/query/q2", base_url=ORIGIN).text
    assert "CANCELLED" in client.post("/query/q2/cancel", base_url=ORIGIN, headers=FROM_HERE).text
    assert athena.stopped == ["q1", "q2"]
    assert client.get("/query/q2", base_url=ORIGIN).status_code == 286  # and is asked for no more


def test_parameters_become_literals() -> None:
    athena = Athena()
    client = browser(*console_of(lake_of(lambda _: athena)))
    data = {"sql": "SELECT :name, :number", "p.name": "'; DROP TABLE t; --", "p.number": "3"}
    client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data=data)
    assert athena.sent == ["SELECT '''; DROP TABLE t; --', 3"]
    answer = client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data={"sql": "SELECT :name"})
    assert "the query needs :name" in answer.text


def test_the_query_of_another_console_is_not_shown() -> None:
    client = browser(*console_of(lake_of(nothing)))
    assert "this console has sent no query 123" in client.get("/query/123", base_url=ORIGIN).text
