"""What a visitor may ask of a board, and what passes on the way."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from boards.conftest import Deck, running_deck
from boards.stub_boards import ECHO, FAILS, stub
from boards.waiting import boards_processes


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A deck behind whose boards a program tells what it was asked."""
    folder = tmp_path_factory.mktemp("echo")
    with running_deck(folder, python=stub(folder, ECHO)) as deck:
        deck.show("echo", folder)
        yield deck


def board_of(deck: Deck) -> str:
    """The address of the deck's first board."""
    return f"{deck.url}/runs/{next(iter(deck.specs))}/tensorboard/"


def test_cookie_and_authorization_stop_at_the_server(echo: Deck, web: httpx.Client) -> None:
    secrets = {"Cookie": "traindeck=secret", "Authorization": "Bearer secret", "X-Forwarded-Host": "evil.com"}
    told = web.get(board_of(echo), headers=secrets | {"If-None-Match": '"abc"'}).json()["headers"]
    assert "secret" not in str(told)
    assert "evil.com" not in str(told)
    assert told["if-none-match"] == '"abc"'
    assert told["Host"] == "boards"


def test_cookies_and_foreign_redirects_of_a_board_stop_at_the_server(echo: Deck, web: httpx.Client) -> None:
    answer = web.get(board_of(echo) + "redirect", follow_redirects=False)
    assert answer.status_code == 302
    assert not {"set-cookie", "location"} & set(answer.headers)


@pytest.mark.parametrize("path", ["//evil.com/x", "http://evil.com:80/", "a@evil.com:1/x", "%2f%2fevil.com", "x?y=1&z"])
def test_a_path_stays_a_path(echo: Deck, path: str) -> None:
    target = urlsplit(echo.url)
    connection = http.client.HTTPConnection(str(target.hostname), target.port)
    connection.request("GET", f"/runs/echo/tensorboard/{path}")
    body = connection.getresponse().read().decode()
    connection.close()
    assert '"path": "/runs/echo/tensorboard/' in body


def test_a_posted_body_arrives(echo: Deck, web: httpx.Client) -> None:
    assert web.post(board_of(echo) + "x", content=b"tag=loss").json()["body"] == "tag=loss"


def test_a_body_that_is_too_large_is_refused(echo: Deck, web: httpx.Client) -> None:
    assert web.post(board_of(echo), content=bytes((8 << 20) + 1)).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_methods_that_no_board_has_are_refused(echo: Deck, web: httpx.Client, method: str) -> None:
    answer = web.request(method, board_of(echo))
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_websocket_is_refused_without_asking_tensorboard(tmp_path: Path, web: httpx.Client) -> None:
    before = boards_processes()
    with running_deck(tmp_path) as deck:
        board = deck.show("1", tmp_path)
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
        assert web.get(board, headers=upgrade).status_code == 403
        assert boards_processes() == before


def test_the_address_without_its_slash_leads_to_the_one_with_it(echo: Deck, web: httpx.Client) -> None:
    answer = web.get(board_of(echo).rstrip("/") + "?a=b", follow_redirects=False)
    assert answer.headers["location"] == "/runs/echo/tensorboard/?a=b"


def test_a_run_without_a_folder_has_a_page_that_says_so(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    board = shared_deck.show("nothing", tmp_path / "gone")
    page = web.get(board, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "no folder" in page.text
    assert web.get(board).json()["status"] == 404


def test_the_page_and_its_fonts_lie_below_the_prefix(shared_deck: Deck, web: httpx.Client, every_kind: Path) -> None:
    board = shared_deck.show("page", every_kind)
    page = web.get(board)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    fonts = set(re.findall(r"url\(([^)]*font-roboto[^)]*)\)", page.text))
    assert fonts
    assert all(font.startswith("./") for font in fonts)
    assert web.get(board + min(fonts)).status_code == 200


def test_the_bundle_is_compressed_and_kept_by_its_hash(shared_deck: Deck, web: httpx.Client, every_kind: Path) -> None:
    board = shared_deck.show("bundle", every_kind)
    (script,) = re.findall(r'src="(/boards/bundle/index.js\?_file_hash=\w+)"', web.get(board).text)
    script = shared_deck.url + script
    answer = web.get(script, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    plain = web.get(script, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content
    assert int(answer.headers["content-length"]) < len(plain.content) / 2
    assert web.get(f"{shared_deck.url}/boards/bundle/index.html").status_code == 404


def test_an_unchanged_page_is_not_sent_again(shared_deck: Deck, web: httpx.Client, every_kind: Path) -> None:
    board = shared_deck.show("unchanged", every_kind)
    first = web.get(board)
    again = web.get(board, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_head_tells_the_size_and_sends_nothing(shared_deck: Deck, web: httpx.Client, every_kind: Path) -> None:
    board = shared_deck.show("head", every_kind)
    answer = web.head(board + "index.js")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 1_000_000
    assert answer.content == b""


def test_a_failure_of_tensorboard_has_a_reference_that_is_in_the_log_and_nothing_else(
    tmp_path: Path, web: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with running_deck(tmp_path, python=stub(tmp_path, FAILS)) as deck:
        board = deck.show("1", tmp_path)
        problem = web.get(f"{board}data/x?secret=1")
        page = web.get(board, headers={"Accept": "text/html"})

    assert (problem.status_code, page.status_code) == (500, 500)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.headers["x-content-type-options"] == "nosniff"
    reference = problem.json()["reference"]
    assert f"reference={reference} GET /runs/1/tensorboard/data/x failed" in caplog.text
    assert reference in problem.json()["detail"]
    for answer in (problem, page):
        assert "Traceback" not in answer.text
        assert "/secret" not in answer.text
        assert "reference" in answer.text


def test_what_a_plugin_raises_is_in_the_log_of_the_boards_process_under_the_reference(
    shared_deck: Deck, web: httpx.Client, every_kind: Path
) -> None:
    board = shared_deck.show("failing", every_kind)

    answer = web.get(f"{board}data/plugin/images/individualImage?blob_key=%ff")

    assert answer.status_code == 500
    log = shared_deck.log_path.read_text()
    assert f"reference={answer.json()['reference']}" in log
    assert "Traceback" in log
