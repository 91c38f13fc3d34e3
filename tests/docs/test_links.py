"""Links in the docs lead somewhere, and every page can be reached."""

import re
from pathlib import Path

import pytest

from docs.blocks import DOCS, PAGES, ROOT, anchors_of, prose_of

LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
INDEX = DOCS / "README.md"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links_of(page: Path) -> list[tuple[Path, str]]:
    """The file and the anchor of each link of a page."""
    found = [target.partition("#") for target in LINK.findall(prose_of(page))]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in found]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    assert [target for target, _ in links_of(page) if not target.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_to_headings_lead_somewhere(page: Path) -> None:
    assert [
        (target.name, anchor) for target, anchor in links_of(page) if anchor and anchor not in anchors_of(target)
    ] == []


def test_the_index_leads_to_every_page() -> None:
    linked = {target for target, _ in links_of(INDEX)}
    assert [page for page in DOCS.rglob("*.md") if page != INDEX and page not in linked] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_titles_are_in_sentence_case(page: Path) -> None:
    titles = re.findall(r"^#+ (?:\d+\. )?(.+)$", prose_of(page), re.MULTILINE)
    known = {"Traindeck", "TensorBoard", "GPU", "GPUs", "HTTP", "CI"}
    capitals = [word for title in titles for word in re.findall(r"[\w`]+", title)[1:] if word[0].isupper()]
    assert [word for word in capitals if word not in known] == []
