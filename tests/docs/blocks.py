"""The pages of the documentation, and the code blocks in them.

A block of language `sh` is run by tests/cli/test_documented_commands.py, unless a comment before it says why not. A comment may also name the
file that a block is the content of:

    <!-- not run: needs a GPU -->
    <!-- file: train.py -->
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (?P<key>not run|file): (?P<value>.+?) -->\n)?^```(?P<language>\w*)\n(?P<content>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NO_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block: its text, and where on its page it begins; `file` and `reason` are from the comment before it."""

    language: str
    content: str
    line: int
    file: str | None = None
    reason: str | None = None


def blocks_of(page: Path) -> list[Block]:
    """Every code block of a page, in order."""
    text = page.read_text()
    return [_block(found, text.count("\n", 0, found.start("content"))) for found in BLOCK.finditer(text)]


def prose_of(page: Path) -> str:
    """A page without its code blocks."""
    return BLOCK.sub("", page.read_text())


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = HEADING.findall(prose_of(page))
    return {NO_ANCHOR.sub("", title.lower()).replace(" ", "-") for title in titles}


def section_of(page: Path, title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}$.*?(?=^## |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section {title!r}"
    return found[0]


def _block(found: re.Match[str], line: int) -> Block:
    said = {found["key"]: found["value"]}
    return Block(found["language"], found["content"], line, said.get("file"), said.get("not run"))
