"""GET /runs/N/code and /diff: the code as it was at launch, and nothing else."""

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from api.conftest import exchange, status_of
from support.served import ServedDeck
from support.waiting import wait_for

GIT = ["git", "-c", "user.name=A", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"]


@pytest.fixture(scope="module")
def launched(shared_deck, tmp_path_factory) -> dict:
    """A run of a project in a repository with changes, and the project's folder as it is after another edit."""
    folder = tmp_path_factory.mktemp("launched") / "project"
    (folder / "pkg").mkdir(parents=True)
    (folder / "train.py").write_text("from pkg import net\nprint(net.LAYERS)\n")
    (folder / "pkg/net.py").write_text("LAYERS = 2\n")
    (folder / "page ü.html.txt").write_text("<script>alert(1)</script>")
    (folder / "secret.txt").symlink_to("/etc/passwd")
    subprocess.run([*GIT, "init", "-q"], cwd=folder, check=True)
    subprocess.run([*GIT, "add", "."], cwd=folder, check=True)
    subprocess.run([*GIT, "commit", "-qm", "first"], cwd=folder, check=True)
    (folder / "pkg/net.py").write_text("LAYERS = 3\n")
    run = shared_deck.launch(script={"path": str(folder / "train.py")})
    shared_deck.wait_until_ended(run["id"])
    wait_for((shared_deck.home / f"runs/{run['id']}/git.json").exists, "git is recorded")
    (folder / "train.py").write_text("print('edited')\n")
    return {"id": run["id"], "folder": folder, "run": run}


def test_the_code_is_listed_with_its_commit(shared_deck, launched):
    code = shared_deck.client.get(f"/runs/{launched['id']}/code").json()

    assert [file["path"] for file in code["files"]] == ["page ü.html.txt", "pkg/net.py", "train.py"]
    assert (code["entry"], code["root"], code["complete"]) == ("train.py", str(launched["folder"]), True)
    assert code["digest"] == launched["run"]["code_digest"]
    assert (code["git"]["branch"], code["git"]["dirty"], code["git"]["folder"]) == ("main", True, "")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=launched["folder"], capture_output=True, text=True, check=True
    )
    assert code["git"]["commit"] == head.stdout.strip()


def test_every_listed_file_can_be_read_as_it_was_at_launch_as_text_that_no_browser_runs(shared_deck, launched):
    base = f"/runs/{launched['id']}/code"
    for file in shared_deck.client.get(base).json()["files"]:
        response = shared_deck.client.get(f"{base}/{quote(file['path'])}")
        assert response.status_code == 200
        assert len(response.content) == file["size"]
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-disposition"].startswith("attachment")
    assert shared_deck.client.get(f"{base}/train.py").text.startswith("from pkg import net")


def test_the_uncommitted_changes_are_a_diff(shared_deck, launched):
    response = shared_deck.client.get(f"/runs/{launched['id']}/diff")

    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert "-LAYERS = 2\n+LAYERS = 3\n" in response.text


def test_the_whole_project_comes_as_a_zip(shared_deck, launched):
    response = shared_deck.client.get(f"/runs/{launched['id']}/code.zip")

    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["page ü.html.txt", "pkg/net.py", "train.py"]
        assert archive.read("pkg/net.py") == b"LAYERS = 3\n"
    assert f'filename="run-{launched["id"]}-code.zip"' in response.headers["content-disposition"]


BAD_PATHS = ["../spec.json", "../code.json", "%2e%2e/code.json", "%2e%2e%2fgit.json", "..%2f..%2f..%2fdeck.db", "%252e%252e/spec.json",
             "/etc/passwd", "//etc/passwd", "secret.txt", "pkg", "pkg/", "pkg/../train.py", "./train.py", "train.py%00", "none",
             ".git/config", "..\\spec.json", "train.py/x", "", "~"]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_no_path_leads_to_anything_else(shared_deck, launched, path):
    request = f"GET /runs/{launched['id']}/code/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = exchange(shared_deck, request.encode())

    assert status_of(answer) == 404
    assert b"root:" not in answer


def test_two_runs_of_one_project_have_the_same_files_on_disk(shared_deck, launched):
    folder = launched["folder"]
    runs = [shared_deck.launch(script={"path": str(folder / "train.py")})["id"] for _ in range(2)]

    first, second = (shared_deck.home / f"runs/{run}/code/pkg/net.py" for run in runs)
    assert first.samefile(second)
    for run in runs:
        shared_deck.wait_until_ended(run)


def test_what_is_launched_is_what_lay_there_then_although_it_was_edited_before_it_started(shared_deck, tmp_path):
    (tmp_path / "net.py").write_text("LAYERS = 'before'")
    (tmp_path / "train.py").write_text("import net\nprint(net.LAYERS)")
    gate = shared_deck.launch("import signal\nsignal.pause()", resources={"cpus": 2}, priority=1000)
    shared_deck.wait_for_status(gate["id"], "running")
    run = shared_deck.launch(script={"path": str(tmp_path / "train.py")})
    (tmp_path / "net.py").write_text("LAYERS = 'after'")
    (tmp_path / "train.py").unlink()

    shared_deck.client.post(f"/runs/{gate['id']}/cancel")
    shared_deck.wait_until_ended(gate["id"])
    ended = shared_deck.wait_until_ended(run["id"])

    assert (ended["status"], shared_deck.log_of(run["id"])) == ("completed", "before\n")


def test_a_trainer_has_no_code_and_a_pasted_script_no_repository(shared_deck):
    pasted = shared_deck.launch("print(1)")
    shared_deck.wait_until_ended(pasted["id"])

    code = shared_deck.client.get(f"/runs/{pasted['id']}/code").json()
    assert (code["entry"], code["root"], code["git"]) == ("script.py", None, None)
    assert (shared_deck.home / f"runs/{pasted['id']}/code/script.py").read_text() == "print(1)"
    assert shared_deck.client.get(f"/runs/{pasted['id']}/diff").status_code == 404
    for path in ("code", "code/x.py", "code.zip", "diff"):
        assert shared_deck.client.get(f"/runs/987654/{path}").status_code == 404


def test_a_run_of_an_older_deck_still_shows_its_script(shared_deck):
    run = shared_deck.launch("print('old')")
    shared_deck.wait_until_ended(run["id"])
    (shared_deck.home / f"runs/{run['id']}/code.json").unlink()

    code = shared_deck.client.get(f"/runs/{run['id']}/code").json()

    assert [file["path"] for file in code["files"]] == ["script.py"]
    assert shared_deck.client.get(f"/runs/{run['id']}/code.zip").status_code == 200


def test_the_manifest_beside_the_code_says_what_is_in_it(shared_deck, launched):
    manifest = json.loads((Path(shared_deck.home) / f"runs/{launched['id']}/code.json").read_text())

    assert manifest["version"] == 1
    assert manifest["bytes"] == sum(file["size"] for file in manifest["files"])
    assert {"path", "size", "sha256", "mtime_ns"} <= set(manifest["files"][0])


def test_a_git_that_hangs_holds_up_no_launch_and_is_ended(tmp_path, monkeypatch):
    pids, bin_folder, project = tmp_path / "pids", tmp_path / "bin", tmp_path / "project"
    bin_folder.mkdir()
    (bin_folder / "git").write_text(f"#!/bin/sh\necho $$ >> {pids}\nexec sleep 1000\n")
    (bin_folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    (project / ".git").mkdir(parents=True)
    (project / "train.py").write_text("print('trained')")
    deck = ServedDeck(tmp_path / "home", cpus=1, grace_seconds=1, cold=True)
    deck.start()
    try:
        run = deck.launch(script={"path": str(project / "train.py")})
        assert deck.wait_until_ended(run["id"])["status"] == "completed"
        wait_for(lambda: pids.exists() and pids.read_text(), "git was asked")
        for pid in pids.read_text().split():
            wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists(), f"git {pid} is ended")
        assert deck.client.get(f"/runs/{run['id']}/code").json()["git"] is None
    finally:
        deck.end()
