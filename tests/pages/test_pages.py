"""The pages that are made of the code: what they say is what the code says."""

from __future__ import annotations

import re

import pytest
from pages import athena_sql_page, cli_page, configuration_page, local_services_page, service_names

from lakectl.cli.group import COMMANDS


@pytest.mark.parametrize(
    "maker",
    [
        cli_page,
        configuration_page,
        athena_sql_page,
        local_services_page,
        pytest.param(service_names, marks=pytest.mark.long),  # it reads all of botocore's models
    ],
    ids=["cli", "configuration", "athena", "local-services", "service-names"],
)
def test_the_page_is_current(maker: object) -> None:
    name = maker.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    again = f"write it again: PYTHONPATH=tests python -m pages.{name}"
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(), again  # type: ignore[attr-defined]


def test_every_command_has_a_section_with_what_it_does() -> None:
    sections = re.findall(r"^#{3,4} lakectl (.+)$", cli_page.page(), re.MULTILINE)
    assert [name for name in sections if " " not in name] == list(COMMANDS)
    assert {"local start", "local stop", "source add"} <= set(sections)


def test_every_setting_has_a_row_with_its_meaning() -> None:
    said = configuration_page.comments()
    silent = [key for key in configuration_page.settings() if key not in said]
    # Its values say it; and a key that stands in a comment.
    assert silent == ["glue.worker_type", "glue.price_per_dpu_hour"]


def test_a_setting_is_described_by_the_schema() -> None:
    page = configuration_page.page()
    assert "| `workers` | 2 to 299 | `2` | with one of them as driver |" in page
    assert "| `checks.empty_snapshot` | `fail`, `ignore` | `fail` |" in page
