"""docs/local-services.md, made of the table of services: `PYTHONPATH=tests python -m pages.local_services_page`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from lakectl.local.gate import listing, table
from lakectl.local.seams.cloudformation import known as stack_resources

PAGE = Path(__file__).parents[2] / "docs/local-services.md"
WIDTH = 118

HEADER = """\
# What the local AWS does of each service

This page is made of the table that the local AWS itself asks before it does anything; a test compares them.
`lakectl local services` prints it.

- **Runs**: the operation does what it does on AWS.
- **Stored only**: it keeps what it is given, and its sole effect on AWS, too, is to be read back: tags, descriptions.
  Or it reads what can't be set here, and so finds none.
- All else is refused, whole services too: `NotImplemented` (HTTP 501), `the local AWS does not do StartExecution of AWS
  Step Functions; it works on AWS`. So are settings that could not do what they say.

`LAKECTL_LOCAL_PRETEND=stepfunctions,firehose` in the environment of the command that starts the server lets services be
answered without their effect; the server's log says which. A role needs a permission first: what the local AWS can't
judge is refused to every role, and open to your own keys alone.

| Service | Name | Runs | Stored only |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = "".join(
        f"| [`{each.service}`](#{each.service}) | {each.name} | {each.runs} | {each.stored} |\n"
        for each in listing.services()
    )
    return HEADER + rows + "".join(part for each in listing.services() for part in _section(each.service))


def _section(name: str) -> Iterator[str]:
    known = table.service(name)
    assert known is not None
    yield f"\n## {name}\n"
    for title, operations in (("Runs", known.runs), ("Stored only", known.stored)):
        if operations:
            yield f"\n{_wrapped(f'{title}: ' + ', '.join(f'`{each}`' for each in sorted(operations)))}\n"
    settings = listing.settings(name)
    if settings:
        yield "\n| Setting | Taken |\n|---|---|\n"
        for setting, taken in settings.items():
            values = (str(each).lower() if isinstance(each, bool) else str(each) for each in taken)
            yield f"| `{setting}` | {', '.join(f'`{each}`' for each in values) or 'left out'} |\n"
    if name == "cloudformation":
        yield "\n| Resource of a stack | Properties |\n|---|---|\n"
        for kind, properties in stack_resources().items():
            yield f"| `{kind}` | {', '.join(sorted(properties))} |\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
