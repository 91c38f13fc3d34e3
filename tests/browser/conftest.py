"""A real browser on a real deck. Whatever the browser complains of fails the test."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser.complaints import Complaints
from support.chromium import start_chromium
from support.served import ServedDeck

WIDE = {"width": 1400, "height": 900}
DEADLINE_MS = 60_000
"""A TensorBoard may take a third of that to draw its first chart on a machine that does other work."""


# Not for the whole session: while Playwright runs, its event loop is the thread's, and no other test could have one.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this folder."""
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Complaints:
    """What the browser complains of during the test."""
    return Complaints()


@pytest.fixture
def context_options() -> dict[str, Any]:
    """How the test's window is; a test overrides it by parametrization."""
    return {"viewport": WIDE}


@pytest.fixture
def context(browser: Browser, complaints: Complaints, context_options: dict[str, Any]) -> Iterator[BrowserContext]:
    """A window of the test's own, without any history."""
    context = browser.new_context(**{"viewport": WIDE, **context_options})
    context.set_default_timeout(DEADLINE_MS)
    context.on("page", complaints.listen_to)
    yield context
    context.close()
    assert complaints.unexpected() == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab."""
    return context.new_page()


@pytest.fixture(scope="package")
def cold_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck for runs without torch, for tests that do not mind each other's."""
    deck = ServedDeck(tmp_path_factory.mktemp("cold") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()
