"""README and docs/: every relative link and anchor leads somewhere, and words are those of the glossary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GLOSSARY = ROOT / "docs/architecture.md"
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its blocks of code and without code inside its lines."""
    return CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        while anchor in found:
            anchor += "-1"
        found.add(anchor)
    return found


def dead_links(page: Path) -> list[str]:
    """The links of a page that lead to no file, or to no heading of a file."""
    dead = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# One `word`, or two\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#one-word-or-two) [b](there.md#three) [c](gone.md) [d](https://example.com) [e](#self)\n"
    )
    assert dead_links(page) == ["there.md#three", "gone.md", "#self"]


def test_every_page_is_linked_from_the_readme() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"docs/{page.name}" not in linked] == []


def test_every_page_has_its_place_on_the_site() -> None:
    sections = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = [
        page
        for section in sections
        for pages in section.values()
        for page in ([pages] if isinstance(pages, str) else pages)
    ]
    outside = {"index.md", "changelog.md", "contributing.md"}
    assert sorted(set(named) - outside) == sorted(page.name for page in PAGES if page.parent.name == "docs")
    assert len(named) == len(set(named))


def test_the_glossary_has_at_most_twenty_terms() -> None:
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    assert 10 < len(terms) <= 20
    assert len(set(terms)) == len(terms)


def unwanted() -> re.Pattern[str]:
    """The words that the glossary replaces, as nouns: `turn` is also a verb that has no other."""
    (sentence,) = re.findall(
        r"^Other words for the same are not used: .*?\.$", GLOSSARY.read_text(), re.MULTILINE | re.DOTALL
    )
    words = re.findall(r"\*([^*]+)\*", sentence.partition(" A test")[0])
    assert words == ["set aside", "stamp", "turn", "gate", "says no"]
    forms = [
        r"(?:set|sets|setting)\s+\w*\s*aside",
        "stamps?",
        r"(?:a|the|its|\w+'s)\s+turns?\b",
        "gates?",
        r"(?:say|says|said)\s+no\b",
    ]
    return re.compile(rf"\b(?:{'|'.join(forms)})\b(?!\s+to\b)", re.IGNORECASE)


@pytest.mark.parametrize("page", [page for page in PAGES if page != GLOSSARY], ids=lambda page: page.name)
def test_words_are_those_of_the_glossary(page: Path) -> None:
    assert unwanted().findall(prose(page)) == []


@pytest.mark.parametrize("text", ["sets it aside", "a greater stamp", "its turn", "The gate looks", "AWS said no"])
def test_other_words_are_found(text: str) -> None:
    assert unwanted().search(text)


@pytest.mark.parametrize("text", ["a timestamp", "it turns adaptive execution off", "investigate", "it says nothing"])
def test_words_that_only_look_alike_are_not(text: str) -> None:
    assert not unwanted().search(text)
