"""What a page costs a browser that has nothing of it in its cache: requests, bytes, and the time to its first paint."""

import shutil
from typing import Any

from benchmarks.browser import NAMES
from benchmarks.row import Goal, Row
from benchmarks.samples import p50, summary
from benchmarks.served import served_deck

ROUNDS, QUICK_ROUNDS = 15, 5
PAGES = {"the list": "/runs", "a run": "/runs/1", "the launch form": "/launch", "a comparison": "/compare?runs=1,2"}
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
    .observe({type: "paint", buffered: true}))"""
FETCHED = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .map(({transferSize}) => transferSize)"""


def measure(quick: bool) -> list[Row]:
    """Each page in a new window, over loopback."""
    # Here: the other rows do without the packages of the tests.
    from playwright.sync_api import sync_playwright

    rounds = QUICK_ROUNDS if quick else ROUNDS
    with served_deck(warm=False) as deck, sync_playwright() as playwright:
        for _ in range(2):
            deck.wait_until_completed(deck.launch("nothing.py"))
        chromium = next(filter(None, map(shutil.which, NAMES)), None)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        address = str(deck.web.base_url).rstrip("/")
        seen = {name: [_open(browser, f"{address}{path}") for _ in range(rounds)] for name, path in PAGES.items()}
        browser.close()
    return [row for name, samples in seen.items() for row in _rows(name, samples)]


def _open(browser: Any, address: str) -> tuple[float, int, int]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = context.new_page()
        page.goto(address, wait_until="load")
        painted, fetched = page.evaluate(PAINTED), page.evaluate(FETCHED)
        return painted / 1000, len(fetched), sum(fetched)
    finally:
        context.close()


def _rows(name: str, samples: list[tuple[float, int, int]]) -> list[Row]:
    painted = [seconds for seconds, _, _ in samples]
    requests, size = max(count for _, count, _ in samples), max(size for _, _, size in samples)
    known = "70 requests, not compressed, before they were bundled"
    return [
        Row(f"first paint of {name}, p50", "s", p50(painted), None, "", Goal(0.1), summary(painted, "seconds")),
        Row(f"requests of {name}", "", requests, None, known, Goal(12)),
        Row(f"transferred for {name}", "kB", size / 1000, None, "", Goal(200)),
    ]
