"""GET /runs/N/files: what a run wrote, and nothing else."""

from pathlib import Path
from urllib.parse import quote

import pytest

from api.conftest import exchange, home_of, problem_of, status_of


def names(client, run_id: int) -> list[str]:
    return [one["path"] for one in client.get(f"/runs/{run_id}/files").json()["items"]]


def test_the_list_has_checkpoints_first_and_no_links_pipes_or_hidden_files(client, written):
    assert names(client, written) == [
        "checkpoints/last.pt", "a" * 250, "deep/er/file.txt", "li\nne.svg", 'quo"te.html', "with space & more.txt",
        "ünïcode.txt",
    ]  # fmt: skip


def test_a_file_that_claims_to_be_of_the_far_future_is_listed(client, written):
    files = {one["path"]: one for one in client.get(f"/runs/{written}/files").json()["items"]}

    assert files["deep/er/file.txt"]["size"] == 10
    # As far as the file system goes: for ext4 that is 2446.
    assert int(files["deep/er/file.txt"]["modified_at"][:4]) > 2400
    assert files["checkpoints/last.pt"]["checkpoint"] is True


def test_everything_that_is_listed_can_be_downloaded_and_is_an_attachment(client, written):
    for name in names(client, written):
        response = client.get(f"/runs/{written}/files/{quote(name)}")
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-disposition"].startswith('attachment; filename="')


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ('quo"te.html', "attachment; filename=\"quo_te.html\"; filename*=UTF-8''quo%22te.html"),
        ("li\nne.svg", "attachment; filename=\"li_ne.svg\"; filename*=UTF-8''li%0Ane.svg"),
        ("ünïcode.txt", "attachment; filename=\"_n_code.txt\"; filename*=UTF-8''%C3%BCn%C3%AFcode.txt"),
        ("a" * 250, f"attachment; filename=\"{'a' * 100}\"; filename*=UTF-8''{'a' * 250}"),
    ],
)
def test_whatever_is_in_a_name_it_stays_in_one_header(client, written, name, disposition):
    response = client.get(f"/runs/{written}/files/{quote(name)}")

    assert response.headers["content-disposition"] == disposition


def test_a_part_of_a_file_comes_by_range(client, written):
    path = f"/runs/{written}/files/deep/er/file.txt"

    response = client.get(path, headers={"Range": "bytes=2-4"})
    assert (response.status_code, response.content) == (206, b"234")
    problem_of(client.get(path, headers={"Range": "bytes=10-"}), 416)


BAD_PATHS = [
    "../spec.json", "..", "../../../deck.db", "%2e%2e/%2e%2e/spec.json", "%2e%2e%2fspec.json", "%252e%252e/spec.json",
    "..%5cspec.json", "..\\spec.json", "/etc/passwd", "%2fetc%2fpasswd", "//etc/passwd", "deep//er/file.txt",
    "deep/../checkpoints/last.pt", "./deep/er/file.txt", "deep/er/file.txt%00", "deep/er/file.txt%00.png", "%00",
    ".hidden", "link", "etc/passwd", "pipe", "deep", "deep/", "deep/er/", "checkpoints/last.pt/", "none", "",
    "b" * 300, "%ff", "%c3%28", "checkpoints/last.pt/../last.pt", "~/x", "C:%5cx", "..%c0%af..%c0%afspec.json",
    "file:///etc/passwd", "deep%2f..%2f..%2fspec.json",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_what_is_no_plain_file_of_the_run_is_not_found(cold_deck, written, path):
    request = f"GET /runs/{written}/files/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = exchange(cold_deck, request.encode())

    assert status_of(answer) == 404
    assert b"root:" not in answer
    assert b"weights" not in answer


@pytest.mark.parametrize("path", ["../2/spec.json", "../../../../../../etc/passwd", "..%2f..%2f..%2f..%2fetc%2fpasswd"])
@pytest.mark.parametrize("prefix", ["/runs/1/files/", "/static/", "/runs/", "/"])
def test_no_address_of_the_deck_leads_out_of_it(cold_deck, written, prefix, path):
    request = f"GET {prefix}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = exchange(cold_deck, request.encode())

    assert status_of(answer) in (307, 404, 422)
    assert b"root:" not in answer


def test_a_sibling_with_the_same_beginning_is_not_reached(cold_deck, client, written):
    sibling = home_of(cold_deck, written) / "attempt-1" / "work-secret"
    sibling.mkdir()
    (sibling / "x").write_text("secret")

    for path in ("../work-secret/x", "%2e%2e/work-secret/x", "-secret/x"):
        problem_of(client.get(f"/runs/{written}/files/{path}"), 404)


def test_a_link_that_takes_the_place_of_a_file_is_never_followed(cold_deck, client, written):
    work = home_of(cold_deck, written) / "attempt-1" / "work"
    swapped = work / "swapped.txt"
    for _ in range(50):
        swapped.write_text("mine")
        assert client.get(f"/runs/{written}/files/swapped.txt").text == "mine"
        swapped.unlink()
        swapped.symlink_to("/etc/passwd")
        problem_of(client.get(f"/runs/{written}/files/swapped.txt"), 404)
        swapped.unlink()


def test_listing_while_a_run_writes_and_removes_files_is_no_error(cold_deck, client, tmp_path):
    gate = tmp_path / "gate"
    source = f"""
import pathlib
for n in range(100):
    pathlib.Path(f"keep-{{n}}").touch()
print("kept", flush=True)
while not pathlib.Path({str(gate)!r}).exists():
    for n in range(50):
        pathlib.Path(f"f{{n}}").touch()
    for n in range(50):
        pathlib.Path(f"f{{n}}").unlink()
"""
    run_id = cold_deck.launch(source)["id"]
    cold_deck.wait_for_line(run_id, "kept")
    for _ in range(30):
        assert len([name for name in names(client, run_id) if name.startswith("keep-")]) == 100
    gate.touch()
    cold_deck.wait_until_ended(run_id)


def test_a_poisoned_checkpoint_is_a_file_like_any_other(cold_deck, client, tmp_path):
    proof = tmp_path / "proof"
    source = f"""
import os, pathlib, pickle
class Poison:
    def __reduce__(self):
        return os.mkdir, ({str(proof)!r},)
pathlib.Path("checkpoints").mkdir()
pathlib.Path("checkpoints/last.pt").write_bytes(pickle.dumps(Poison()))
"""
    run_id = cold_deck.wait_until_ended(cold_deck.launch(source)["id"])["id"]

    assert names(client, run_id) == ["checkpoints/last.pt"]
    assert client.get(f"/runs/{run_id}/files/checkpoints/last.pt").status_code == 200
    assert client.get(f"/runs/{run_id}", headers={"Accept": "text/html"}).status_code == 200
    assert not proof.exists()


def test_a_run_that_has_written_nothing_has_an_empty_list(client, queued):
    assert client.get(f"/runs/{queued()['id']}/files").json() == {"items": [], "truncated": False}


def test_very_many_files_are_said_to_be_more(cold_deck, client):
    run_id = cold_deck.wait_until_ended(cold_deck.launch("for n in range(5001): open(f'{n:05}', 'w')")["id"])["id"]

    listing = client.get(f"/runs/{run_id}/files").json()

    assert (len(listing["items"]), listing["truncated"]) == (5000, True)
    assert Path(listing["items"][0]["path"]).name == "00000"
