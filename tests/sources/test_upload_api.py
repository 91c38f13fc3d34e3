"""POST /uploads and POST /runs with files: received in bounds, kept, launched; or refused with nothing left behind."""

import io
import json
import socket
import zipfile
from pathlib import Path

import httpx
import pytest

from support.served import ServedDeck
from support.waiting import wait_for

MAIN = "if __name__ == '__main__':\n    import helper\n    print(helper.WORD, open('data/words.txt').read())\n"
PROJECT = {"proj/train.py": MAIN, "proj/helper.py": "WORD = 'hello'", "proj/data/words.txt": "world"}


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def kept(deck) -> list[str]:
    """Everything below uploads/: nothing may be left there by what was refused."""
    return sorted(path.name for path in (deck.home / "uploads").iterdir())


def post(deck, body: bytes, boundary: str = "b", path: str = "/uploads", **headers: str) -> httpx.Response:
    kind = f"multipart/form-data; boundary={boundary}"
    return deck.client.post(path, content=body, headers={"Content-Type": kind, **headers})


def part(disposition: str, content: bytes = b"x", extra: str = "") -> bytes:
    return f"--b\r\nContent-Disposition: {disposition}\r\n{extra}\r\n".encode() + content + b"\r\n"


END = b"--b--\r\n"


@pytest.fixture
def refused(shared_deck):
    """Holds that what is refused in a test leaves nothing behind."""
    before = kept(shared_deck)
    yield shared_deck
    wait_for(lambda: kept(shared_deck) == before, "nothing is left behind")


def test_a_zip_is_kept_and_launched_by_its_digest(shared_deck):
    response = shared_deck.client.post("/uploads", files={"file": ("p.zip", zipped(PROJECT))})

    assert response.status_code == 201, response.text
    upload = response.json()
    assert [file["path"] for file in upload["files"]] == ["data/words.txt", "helper.py", "train.py"]
    assert upload["entries"] == ["train.py", "helper.py"]
    assert upload["bytes"] == sum(len(content) for content in PROJECT.values())

    run = shared_deck.launch(script={"upload": upload["upload"]})
    ended = shared_deck.wait_until_ended(run["id"])
    assert ended["status"] == "completed", shared_deck.log_of(run["id"])
    assert shared_deck.log_of(run["id"]) == "hello world\n"
    assert ended["code_digest"] == upload["upload"]


def test_the_same_files_one_by_one_are_the_same_upload(shared_deck):
    parts = [("file", (name, content.encode())) for name, content in PROJECT.items()]

    first = shared_deck.client.post("/uploads", files=parts).json()
    second = shared_deck.client.post("/uploads", files={"file": ("p.zip", zipped(PROJECT))}).json()

    assert first == second


def test_a_run_and_its_files_come_in_one_request(shared_deck):
    run = {"name": "in one", "script": {"args": ["--lr", "0.1"]}, "tags": ["sent"]}
    files = {"file": ("one.py", b"import sys; print(sys.argv[1:], __file__.rpartition('/')[2])")}

    response = shared_deck.client.post("/runs", data={"run": json.dumps(run)}, files=files)

    assert response.status_code == 201, response.text
    launched = response.json()
    assert (launched["name"], launched["tags"], launched["script"]["kind"]) == ("in one", ["sent"], "upload")
    shared_deck.wait_until_ended(launched["id"])
    assert shared_deck.log_of(launched["id"]) == "['--lr', '0.1'] one.py\n"


def test_files_alone_are_launched_with_what_is_usual(shared_deck):
    response = shared_deck.client.post("/runs", files={"file": ("alone.py", b"print('alone')")})

    assert response.status_code == 201, response.text
    shared_deck.wait_until_ended(response.json()["id"])


@pytest.mark.parametrize(
    ("run", "field"),
    [
        ("{", "run"), ("[]", "run"), ('{"script": 3}', "script"), ('{"script": {"path": "/x.py"}}', "script.path"),
        ('{"script": {"source": "1"}}', "script.source"), ('{"script": {"entry": "no.py"}}', "script.entry"),
        ('{"trainer": "mnist"}', "body"), ('{"nonsense": 1}', "nonsense"),
    ],
)  # fmt: skip
def test_a_run_that_does_not_go_with_its_files_is_refused_by_field(shared_deck, run, field):
    response = shared_deck.client.post("/runs", data={"run": run}, files={"file": ("x.py", b"print(2)")})

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"", END, b"--b\r\n", b"nonsense", part("form-data; name=file; filename=x.py"),
        part("form-data; name=file; filename=x.py")[:-2], part("form-data; name=other; filename=x.py") + END,
        part("form-data; filename=x.py") + END, part("nonsense") + END, part("form-data; name=file") + END,
        part('form-data; name=file; filename=""') + END, b"--b\r\n\r\nx\r\n" + END,
        part("form-data; name=file; filename=x.py", extra="X: y\r\n" * 20) + END,
        part(f"form-data; name=file; filename={'x' * 10_000}") + END,
        part("form-data; name=run") + part("form-data; name=file; filename=x.py") + END,
        b"--b\r\n" * 1000, part("form-data; name=file; filename=x") * 5001 + END,
        part("form-data; name=file; filename=x.zip") + END,
        part("form-data; name=file; filename=a") + part("form-data; name=file; filename=../b") + END,
    ],
    ids=range(19),
)  # fmt: skip
def test_what_is_no_upload_is_refused_and_nothing_is_left_behind(refused, body):
    response = post(refused, body)

    assert response.status_code == 422, response.text
    assert response.json()["detail"]


@pytest.mark.parametrize("boundary", ["", "x" * 300, '"'])
def test_a_boundary_that_is_none_is_refused(refused, boundary):
    assert post(refused, END, boundary).status_code in (415, 422)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=b"]
)
def test_only_parts_are_taken(refused, kind):
    response = refused.client.post("/uploads", content=b"{}", headers={"Content-Type": kind})

    assert response.status_code == 415


@pytest.mark.parametrize("path", ["/uploads", "/runs"])
@pytest.mark.parametrize(
    "header", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_form_of_another_site_uploads_nothing(refused, path, header):
    body = part("form-data; name=file; filename=x.py") + END

    assert post(refused, body, path=path, **header).status_code == 403


def test_files_are_taken_nowhere_else(refused):
    body = part("form-data; name=file; filename=x.py") + END

    for path in ("/runs/1/cancel", "/runs/1/rerun", "/scripts/inspect"):
        assert post(refused, body, path=path).status_code == 415


def test_a_client_that_goes_away_leaves_nothing_behind(refused):
    url = httpx.URL(refused.url)
    before = kept(refused)
    head = "POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(head.encode() + part("form-data; name=file; filename=x", bytes(3_000_000)))
        wait_for(lambda: kept(refused) != before, "the upload is being received")


def test_the_name_in_a_part_decides_no_path(shared_deck):
    for name in ("../../evil.py", "/tmp/evil.py", "..\\..\\evil.py"):
        upload = post(shared_deck, part(f'form-data; name=file; filename="{name}"') + END)
        assert upload.status_code == 201, upload.text
        assert [file["path"] for file in upload.json()["files"]] == ["evil.py"]


def test_more_than_the_bound_is_refused_at_once_and_while_it_comes(tmp_path):
    deck = ServedDeck(tmp_path / "home", cpus=1, cold=True, upload_limit_mb=1)
    deck.start()
    try:
        whole = part("form-data; name=file; filename=x.bin", bytes(900_000)) + END
        assert post(deck, whole).status_code == 201
        big = part("form-data; name=file; filename=x.bin", bytes(1_100_000)) + END
        assert post(deck, big).status_code == 413

        def chunks():
            for _ in range(4):
                yield bytes(1_000_000)

        response = deck.client.post(
            "/uploads", content=chunks(), headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert response.status_code in (413, 422)
        assert (
            deck.client.post(
                "/uploads", content=bytes(4_000_000), headers={"Content-Type": "multipart/form-data; boundary=b"}
            ).status_code
            == 413
        )
        assert len([name for name in kept(deck) if name.endswith(".json")]) == 1
        assert not [name for name in kept(deck) if name.startswith(".")]
    finally:
        deck.end()


def test_a_large_file_goes_to_disk_and_not_to_memory(shared_deck, tmp_path: Path):
    content = bytes(range(256)) * 400_000
    before = _memory(shared_deck)

    response = shared_deck.client.post("/uploads", files={"file": ("weights.bin", content)})

    assert response.status_code == 201
    assert response.json()["bytes"] == len(content)
    kept_file = shared_deck.home / "uploads" / response.json()["upload"] / "weights.bin"
    assert kept_file.read_bytes() == content
    assert _memory(shared_deck) - before < 50_000_000


def _memory(deck) -> int:
    status = Path(f"/proc/{deck.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
