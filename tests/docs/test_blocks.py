"""Every code block of the docs says what it is, so that those with commands are run by the tests of the command line."""

import re
from pathlib import Path

import pytest

from docs.blocks import DOCS, PAGES, ROOT, blocks_of, prose_of

INDENTED = re.compile(r"^(?: {4}|\t)(?:traindeck|curl|make|pip|python|ssh|source|export) .*", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_its_language(page: Path) -> None:
    known = {"sh", "text", "python", "toml", "json"}
    assert [block.line for block in blocks_of(page) if block.language not in known] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(DOCS)], ids=lambda page: page.name)
def test_no_command_stands_where_it_is_not_run(page: Path) -> None:
    assert INDENTED.findall(prose_of(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_only_commands_are_marked_as_not_run(page: Path) -> None:
    assert [block.line for block in blocks_of(page) if block.reason and block.language != "sh"] == []
