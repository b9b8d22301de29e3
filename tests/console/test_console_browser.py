"""The console in Chromium: what a person does and sees, what goes wrong while it is open, and what it costs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from chromium import Tab

from lakectl.console.app import PAGES

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(chromium.found() is None, reason=f"none of {', '.join(chromium.NAMES)} is on the PATH"),
]
LINK = re.compile(r"http://127\.0\.0\.1:\d+/open\?key=[\w-]+")
EVIL = "<script>document.title = 'gone'</script>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder, and a local AWS of its own: these tests stop it."""
    home = tmp_path_factory.mktemp("browser")
    lakectl(home, "up")
    yield home
    lakectl(home, "local", "stop")


def environ(home: Path) -> dict[str, str]:
    return os.environ | {"XDG_STATE_HOME": str(home / "state")}


def lakectl(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lakectl", *arguments],
        capture_output=True,
        text=True,
        cwd=home,
        env=environ(home),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Running:
    """The console as a process."""

    def __init__(self, home: Path, port: str = "0", *flags: str) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "lakectl", "console", "--no-browser", "--port", port, *flags],
            stdout=subprocess.PIPE,
            text=True,
            cwd=home,
            env=environ(home),
        )
        assert self._program.stdout is not None
        found = next(filter(None, map(LINK.search, self._program.stdout)), None)
        assert found
        self.link = found[0]
        self.address = self.link.partition("/open")[0]

    def end(self) -> int:
        self._program.send_signal(signal.SIGINT)
        self._program.communicate(timeout=30)
        return self._program.returncode


@pytest.fixture
def running(home: Path) -> Iterator[Running]:
    running = Running(home)
    yield running
    running.end()


@pytest.fixture
def tab(running: Running) -> Iterator[Tab]:
    with chromium.tab() as tab:
        tab.open(running.link)
        yield tab


def query(tab: Tab, sql: str) -> None:
    """Type a statement and press Ctrl+Enter."""
    tab.script(f"document.getElementById('sql').value = {sql!r}")
    tab.script("document.getElementById('sql').focus()")
    for kind in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, modifiers=2)


def requests(tab: Tab) -> int:
    return int(tab.script("performance.getEntriesByType('resource').length"))


def test_the_link_leaves_the_address_bar_and_scripts_do_not_see_the_cookie(tab: Tab, running: Running) -> None:
    tab.see("landings pending")
    assert tab.script("location.href") == f"{running.address}/"
    assert tab.script("document.cookie") == ""
    assert running.link.partition("=")[2] not in tab.script("document.documentElement.outerHTML")
    assert tab.errors == []


def test_no_page_is_wider_than_the_window_or_breaks_its_policy(tab: Tab, running: Running) -> None:
    for path, _ in PAGES:
        for width in (1280, 390):
            tab.look(width)
            tab.open(running.address + path)
            tab.wait("!document.querySelector('.htmx-request') && !document.body.innerText.includes('Reading…')")
            assert tab.script("document.documentElement.scrollWidth") <= width, (path, width)
    assert tab.errors == []


def test_a_landing_appears_by_itself(tab: Tab, running: Running, home: Path) -> None:
    tab.open(f"{running.address}/landings")
    tab.see("Nothing has landed yet")
    (home / "customers.csv").write_text("customer_id,customer_name,region,signup_date\n1,A,North,01/01/2025\n")
    lakectl(home, "land", "customers.csv")
    tab.see("PENDING")
    assert tab.errors == []


def test_a_query_its_chart_its_history_and_what_is_refused(tab: Tab, running: Running) -> None:
    tab.open(f"{running.address}/query")
    query(tab, f"SELECT * FROM (VALUES ('{EVIL.replace(chr(39), chr(39) * 2)}', 1.5), ('b', 2)) AS t (word, total)")
    tab.see("2 rows")
    assert EVIL in tab.text
    assert tab.script("document.title") == "Query · lake demo"
    assert tab.script("document.querySelectorAll('#answer svg.chart rect').length") > 2
    query(tab, "SELECT nope")
    tab.see("FAILED")
    tab.see("nope")
    query(tab, "DROP TABLE customers_silver")
    tab.see("--allow-writes")
    tab.open(f"{running.address}/query")
    assert tab.script("document.querySelectorAll('#history a').length") == 3
    tab.script("document.querySelector('#history a:nth-child(1)').click()")
    assert tab.script("document.getElementById('sql').value") == "DROP TABLE customers_silver"
    tab.script("document.getElementById('forget').click()")
    assert tab.script("localStorage.length") == 0
    assert tab.errors == []


def test_a_statement_is_cancelled(tab: Tab, running: Running) -> None:
    tab.open(f"{running.address}/query")
    many = ", ".join(f"UNNEST(sequence(1, 9999)) AS {name} ({name})" for name in "abc")
    query(tab, f"SELECT count(*) FROM {many} WHERE a.a + b.b + c.c = 7")
    tab.wait("document.querySelector('#answer button')")
    tab.script("document.querySelector('#answer button').click()")
    tab.see("CANCELLED")
    assert tab.errors == []


def test_checks_come_one_by_one(tab: Tab, running: Running) -> None:
    tab.open(f"{running.address}/checks")
    tab.script("document.querySelector('main button').click()")
    tab.see("All have run", 90)
    assert "not judged" in tab.text
    assert tab.errors == []


def test_a_tab_that_can_not_be_seen_asks_for_nothing(tab: Tab, running: Running) -> None:
    tab.open(f"{running.address}/landings")
    tab.wait("performance.getEntriesByType('resource').filter(e => e.name.includes('now')).length > 1")
    tab.script(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true}); window.away = true"
    )
    before = requests(tab)
    tab.script("new Promise(done => setTimeout(done, 7000))")
    assert requests(tab) == before
    tab.script("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait(f"performance.getEntriesByType('resource').length > {before}", 2)


def test_the_local_aws_is_stopped_and_started_while_a_page_is_open(tab: Tab, home: Path) -> None:
    tab.see("landings pending")
    lakectl(home, "local", "stop")
    tab.see("is gone")
    tab.see("lakectl local start")
    assert "Traceback" not in tab.text
    assert "Not running" in lakectl(home, "local", "status")  # the page has not started it again
    lakectl(home, "local", "start")
    tab.wait("!document.querySelector('main .problem') && document.body.innerText.includes('landings pending')")


def test_the_end_of_the_console_is_said_and_so_is_a_new_one(home: Path) -> None:
    first = Running(home)
    port = first.address.rpartition(":")[2]
    with chromium.tab() as tab:
        tab.open(first.link)
        tab.see("landings pending")
        assert first.end() == 130
        tab.see("it has ended")
        second = Running(home, port)
        tab.see("belongs to the browser that opened the link")
        tab.open(second.link)
        tab.see("landings pending")
        assert second.end() == 130


def test_with_writes_allowed_a_run_is_asked_for_and_started(home: Path) -> None:
    """The question is declined, so that no Spark is started; test_console_pages.py starts a run of a fake."""
    running = Running(home, "0", "--allow-writes")
    with chromium.tab() as tab:
        tab.open(running.link)
        tab.open(f"{running.address}/runs")
        tab.see("Start a run")
        tab.script("window.confirm = (text) => { window.asked = text; return false; }")
        tab.script("document.querySelector('main button').click()")
        assert tab.script("window.asked").startswith("Start a run of the Glue job?")
        assert "jr_" not in tab.text
    assert running.end() == 130
