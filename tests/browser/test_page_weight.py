"""What a browser fetches, with nothing in its cache, until a page stands: how many files, and how much."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request

from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck
from support.waiting import wait_for

REQUESTS = 12
BYTES = 200_000
TAGS = ("Loss/train", "Loss/validation", "Accuracy/train", "Accuracy/validation", "Learning rate", "Gradient/norm")
PAGES = {
    "the list": "/runs",
    "a run": "/runs/1",
    "a run's charts": "/runs/1#charts",
    "a run's log": "/runs/1#log",
    "a run's files": "/runs/1#files",
    "a run's setup": "/runs/1#setup",
    "the launch form": "/launch",
    "the form for a script": "/launch?script=/none.py",
    "a comparison": "/compare?runs=1,2",
    "a board": "/boards/?runs=1,2",
    "an error": "/runs/999",
}


@pytest.fixture(scope="module")
def filled_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck with two runs that have curves."""
    root = tmp_path_factory.mktemp("weighed")
    for name in ("first", "second"):
        records = [scalar(tag, step, 1 / (step + 1)) for step in range(100) for tag in TAGS]
        write(root / "logs" / name / NAME, version(), *records)
    deck = ServedDeck(root / "home", cold=True)
    deck.start()
    assert deck.client.post("/imports", json={"path": str(root / "logs")}).json()["created"] == 2
    yield deck
    deck.end()


class Fetched:
    """What a page fetched; what the frames in it fetch is TensorBoard's."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.begun: list[Request] = []
        self.over: list[Request] = []
        page.on("request", lambda request: self._add(self.begun, request))
        page.on("requestfinished", lambda request: self._add(self.over, request))

    def _add(self, requests: list[Request], request: Request) -> None:
        if request.frame == self.page.main_frame:
            requests.append(request)

    def is_settled(self) -> bool:
        """Whether nothing is under way any more but the stream of events, which has no end."""
        # Any call gives Playwright the time to tell what has happened.
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestIdleCallback(done)))")
        return len(self.over) == len([one for one in self.begun if one.resource_type != "eventsource"])

    def transferred(self) -> list[tuple[str, int]]:
        """What was fetched, and the bytes of each answer, headers and all."""
        sizes = [(request.url, request.sizes()) for request in self.over]
        return [(url, size["responseHeadersSize"] + size["responseBodySize"]) for url, size in sizes]


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_page_needs_few_files_and_little_of_them(
    filled_deck: ServedDeck, page: Page, path: str, complaints: Complaints
) -> None:
    complaints.expect("404")
    fetched = Fetched(page)
    page.goto(f"{filled_deck.url}{path}")
    wait_until_ready(page)
    wait_for(fetched.is_settled, "everything that the page asked for is there")

    transferred = fetched.transferred()
    assert len(fetched.begun) <= REQUESTS, [request.url for request in fetched.begun]
    assert sum(size for _, size in transferred) <= BYTES, transferred
