"""Opening an address executes, opens and changes nothing, whoever led the browser there."""

import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, Request, expect
from starlette.routing import BaseRoute

from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from support.logs import write_logs
from support.served import ServedDeck
from traindeck.app import create_app
from traindeck.settings import Settings

TRAP = """
import argparse
with open({mark!r}, "a") as mark:
    mark.write("executed\\n")
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
print(parser.parse_args())
"""
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
BOARDS = re.compile(r"/runs/\d+/tensorboard(/.*)?|/boards/.*")
HASHES = {"/launch": ("#script",), "/runs/N": ("#charts", "#log", "#files", "#setup")}
"""The parts of a page that its address can open."""
UNTOUCHED = ("logs", "deck.db", "server.json", "server.lock", "cache")
"""Of the home's files, those that a running server writes by itself, and what is compared by its content."""


class Trap:
    """A script that leaves a line in a file each time it is executed, on a deck that has run it and a run of data."""

    def __init__(self, deck: ServedDeck, folder: Path) -> None:
        self.deck = deck
        # A script that is asked for its options may write into hidden folders.
        self.mark = folder / ".mark" / "executed"
        self.mark.parent.mkdir()
        self.script = folder / "train.py"
        self.script.write_text(TRAP.format(mark=str(self.mark)))
        self.run = deck.launch(script={"path": str(self.script)})["id"]
        deck.wait_for_status(self.run, "completed")
        write_logs(folder / "logs" / "exp", [3.0, 1.0], {"lr": 0.25})
        (self.data,) = deck.client.post("/imports", json={"path": str(folder / "logs")}).json()["runs"]

    def forget(self) -> None:
        """Let the deck know nothing of the script, so that only running it would tell its options."""
        self.mark.unlink(missing_ok=True)
        shutil.rmtree(self.deck.home / "cache" / "flags", ignore_errors=True)

    @property
    def executions(self) -> int:
        return len(self.mark.read_text().splitlines()) if self.mark.exists() else 0

    def state(self) -> dict[str, Any]:
        """All rows, all files, and which TensorBoards are open."""
        database = sqlite3.connect(f"file:{self.deck.home}/deck.db?mode=ro", uri=True)
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}
        database.close()
        paths = (path.relative_to(self.deck.home).as_posix() for path in self.deck.home.rglob("*"))
        # A file that is being replaced has its new content beside it for a moment.
        files = sorted(path for path in paths if not path.startswith(UNTOUCHED) and "partial" not in path)
        state = self.deck.client.get(f"/runs/{self.data}/tensorboard-state").json()["state"]
        return {"rows": rows, "files": files, "board": state}

    def changes(self, before: dict[str, Any]) -> dict[str, Any]:
        """What differs from an earlier state, before and now."""
        return {part: (before[part], now) for part, now in self.state().items() if now != before[part]}


@pytest.fixture(scope="module")
def trap_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trap]:
    """One deck for all of these tests, as none of them may change it."""
    folder = tmp_path_factory.mktemp("opening")
    deck = ServedDeck(folder / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield Trap(deck, folder)
    deck.end()


@pytest.fixture
def trap(trap_of_all: Trap) -> Trap:
    """The trap, set anew."""
    trap_of_all.forget()
    return trap_of_all


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of a page of another site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Elsewhere</title>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def routes_of(routes: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    """Those of an app, with those of the routers that it includes."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from routes_of(router.routes)


def addresses(trap: Trap) -> list[str]:
    """Every address that can be got, with each of its parameters: enumerated from the app, so a new one is covered."""
    places = {"run_id": [trap.run, trap.data], "board": [f"runs-{trap.data}"], "path": ["", "train.py"], "name": ["x"],
              "trainer": ["mnist"]}  # fmt: skip
    values = {"script": str(trap.script), "from": trap.run, "run": trap.run, "runs": f"{trap.run},{trap.data}",
              "q": "", "tag": "loss", "trainer": "mnist", "with": trap.data}  # fmt: skip
    found = []
    for route in routes_of(create_app(Settings(home=trap.deck.home)).routes):
        if "GET" not in route.methods or route.path == "/events":
            continue
        names = re.findall(r"{(\w+)(?::path)?}", route.path)
        paths = [route.path]
        for name in names:
            assert name in places, f"say what {name} of {route.path} may be"
            paths = [re.sub(rf"{{{name}(:path)?}}", str(value), path) for path in paths for value in places[name]]
        queries = [field.alias for field in route.dependant.query_params]
        given = {name: values[name] for name in queries if name in values}
        for path in paths:
            found += [path, *(f"{path}?{urlencode({name: value})}" for name, value in given.items())]
    return list(dict.fromkeys(found))


def is_page(trap: Trap, address: str, headers: dict[str, str]) -> bool:
    response = trap.deck.client.get(address, headers=headers, follow_redirects=True)
    return response.headers.get("content-type", "").startswith("text/html")


def links_of(page: Page, deck: ServedDeck) -> list[str]:
    """Where the page leads to, on this deck."""
    found = page.locator("a[href]").evaluate_all("links => links.map((link) => link.href)")
    here = urlsplit(deck.url).netloc
    return [urlsplit(one)._replace(scheme="", netloc="").geturl() for one in found if urlsplit(one).netloc == here]


def kind_of(address: str) -> str:
    """The address without what tells one page from another of its kind."""
    parts = urlsplit(address)
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{re.sub(r'[0-9]+', 'N', parts.path)} {' '.join(names)}".strip()


def changing(requests: list[Request]) -> list[str]:
    return [f"{request.method} {request.url}" for request in requests if request.method != "GET"]


def test_every_address_and_every_page_that_it_leads_to_changes_nothing(
    trap: Trap, page: Page, complaints: Complaints
) -> None:
    complaints.expect("status of 4", "status of 5")
    requests: list[Request] = []
    page.context.on("request", lambda request: requests.append(request))
    before = trap.state()
    waiting = [address for address in addresses(trap) if not BOARDS.fullmatch(urlsplit(address).path)]
    seen: set[str] = set()
    while waiting:
        address = waiting.pop()
        if kind_of(address) in seen or not is_page(trap, address, {"Accept": "text/html"}):
            continue
        seen.add(kind_of(address))
        for hash_ in ("", *HASHES.get(kind_of(urlsplit(address).path), ())):
            # By way of another page: a change of the hash alone opens nothing anew.
            page.goto("about:blank")
            page.goto(urljoin(trap.deck.url, f"{address}{hash_}"))
            wait_until_ready(page)
            assert trap.executions == 0, address
        waiting += [one for one in links_of(page, trap.deck) if not BOARDS.fullmatch(urlsplit(one).path)]
    assert {"/launch script", "/launch from", "/launch", "/runs/N", "/compare runs"} <= seen
    assert changing(requests) == []
    assert trap.executions == 0
    assert trap.changes(before) == {}


def test_a_page_of_another_site_leads_to_nothing_but_pages_to_look_at(
    trap: Trap, page: Page, elsewhere: str, complaints: Complaints
) -> None:
    complaints.expect("status of 4", "status of 5", "favicon")
    requests: list[Request] = []
    page.context.on("request", lambda request: requests.append(request))
    before = trap.state()
    seen: set[str] = set()
    for address in addresses(trap):
        if kind_of(address) in seen or not is_page(trap, address, FOREIGN):
            continue
        seen.add(kind_of(address))
        for hash_ in ("", "#tensorboard") if kind_of(address) == "/runs/N" else ("",):
            page.goto(elsewhere)
            with page.expect_navigation():
                page.evaluate("address => { location.href = address; }", urljoin(trap.deck.url, f"{address}{hash_}"))
            wait_until_ready(page)
            assert trap.executions == 0, address
    assert changing(requests) == []
    assert trap.executions == 0
    assert trap.changes(before) == {}
    assert before["board"] == "closed"
    assert {"/launch script", "/runs/N", "/runs/N/tensorboard/", "/boards/ runs"} <= seen


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_neither_fill_in_the_form_nor_open_a_tensorboard(trap: Trap, site: str) -> None:
    headers = {**FOREIGN, "Sec-Fetch-Site": site}
    for address in (f"/launch?script={trap.script}", f"/launch?from={trap.run}", f"/launch?trainer=mnist&from={trap.run}",
                    f"/runs/{trap.data}/tensorboard/", f"/runs/{trap.data}/tensorboard", f"/boards/?runs={trap.data}",
                    f"/boards/runs-{trap.data}/", f"/boards/runs-{trap.data}/data/logdir"):  # fmt: skip
        assert trap.deck.client.get(address, headers=headers).status_code == 403, address
        del headers["Accept"]
        refusal = trap.deck.client.get(address, headers=headers)
        assert (refusal.status_code, refusal.json()["status"]) == (403, 403)
        headers["Accept"] = "text/html"
    assert trap.deck.client.get("/launch?trainer=mnist", headers=headers).status_code == 200
    assert trap.deck.client.get(f"/launch?script={trap.script}", headers={"Sec-Fetch-Site": "none"}).status_code == 200


def test_the_button_reads_the_options_of_a_script_that_the_address_names(trap: Trap, page: Page) -> None:
    page.goto(f"{trap.deck.url}/launch?script={trap.script}#script")
    wait_until_ready(page)
    expect(page.get_by_label("Path")).to_have_value(str(trap.script))
    expect(page.locator("#options-status")).to_contain_text("not been read yet")
    page.get_by_label("Arguments").fill("--lr 0.5")
    page.get_by_label("Arguments").press("Tab")
    expect(page.get_by_role("button", name="Read its options")).to_be_focused()
    assert trap.executions == 0
    page.keyboard.press("Enter")
    expect(page.locator("#option-lr")).to_have_value("0.5")
    expect(page.get_by_role("button", name="Read its options")).to_be_hidden()
    assert trap.executions == 1


def test_what_is_known_of_a_script_is_shown_without_running_it_again(trap: Trap, page: Page) -> None:
    body = {"script": {"path": str(trap.script)}}
    assert trap.deck.client.post("/scripts/inspect", json=body).json()["schema"]
    executions = trap.executions
    page.goto(f"{trap.deck.url}/launch?script={trap.script}")
    expect(page.locator("#option-lr")).to_have_value("0.1")
    expect(page.get_by_role("button", name="Read its options")).to_be_hidden()
    assert trap.executions == executions


def test_a_tensorboard_that_another_site_led_to_waits_for_the_user(trap: Trap, page: Page, elsewhere: str) -> None:
    page.goto(elsewhere)
    with page.expect_navigation():
        page.evaluate("url => { location.href = url; }", f"{trap.deck.url}/runs/{trap.data}#tensorboard")
    expect(page.get_by_role("heading", name="TensorBoard is not open")).to_be_visible()
    assert trap.state()["board"] == "closed"
    page.get_by_role("button", name="Open TensorBoard").click()
    expect(page.locator("#board-state")).to_have_text("Up to date")


def test_the_refusal_of_a_tensorboard_leads_to_it(
    trap: Trap, page: Page, elsewhere: str, complaints: Complaints
) -> None:
    complaints.expect("status of 403")
    page.goto(elsewhere)
    with page.expect_navigation():
        page.evaluate("url => { location.href = url; }", f"{trap.deck.url}/boards/?runs={trap.data}")
    page.get_by_role("link", name="Open this TensorBoard").click()
    page.wait_for_url(f"{trap.deck.url}/boards/?runs={trap.data}")
    expect(page.locator("#board-count")).to_have_text("1 run")
