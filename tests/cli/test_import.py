"""`traindeck import` and `traindeck tensorboard`."""

import json

from cli.conftest import CommandLine
from support.logs import write_logs


def test_a_folder_beside_the_caller_is_imported_and_counted(traindeck: CommandLine) -> None:
    write_logs(traindeck.folder / "logs/a", [0.5])
    write_logs(traindeck.folder / "logs/b", [0.5])
    done = traindeck("import", "logs", "--tag", "taken in", "--name", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 runs of logs: 2 new\n"
    write_logs(traindeck.folder / "logs/b", [0.5])
    write_logs(traindeck.folder / "logs/c", [0.5])
    assert traindeck("import", "logs").stdout == "3 runs of logs: 1 new, 1 with new data, 1 unchanged\n"
    listed = json.loads(traindeck("runs", "--json", "-q", "tag:'taken in'").stdout)["items"]
    assert {run["name"] for run in listed} == {"mine/a", "mine/b"}


def test_the_decks_answer_can_be_had(traindeck: CommandLine) -> None:
    write_logs(traindeck.folder / "logs", [0.5])
    answer = json.loads(traindeck("import", "--json", "--copy", "logs").stdout)
    assert (answer["created"], answer["left"], answer["complete"]) == (1, 0, True)


def test_what_of_the_files_is_left_out_is_printed(traindeck: CommandLine) -> None:
    write_logs(traindeck.folder / "logs", [0.5])
    (traindeck.folder / "logs" / "events.out.tfevents.1.host.gz").write_bytes(b"\x1f\x8b" + b"\1" * 50)
    done = traindeck("import", "logs")
    assert (done.returncode, done.stdout) == (0, "1 run of logs: 1 new\n")
    assert done.stderr.endswith(
        "/logs: events.out.tfevents.1.host.gz: it is compressed (gzip) and cannot be read; decompress it\n"
    )


def test_a_folder_without_logs_is_refused(traindeck: CommandLine) -> None:
    (traindeck.folder / "empty").mkdir()
    done = traindeck("import", "empty")
    assert done.returncode == 2
    assert "no event file" in done.stderr


def test_the_address_of_a_board_is_printed(traindeck: CommandLine) -> None:
    write_logs(traindeck.folder / "logs/a", [0.5])
    write_logs(traindeck.folder / "logs/b", [0.5])
    first, second = json.loads(traindeck("import", "logs", "--json").stdout)["runs"]
    url = traindeck.deck.url
    assert traindeck("tensorboard", "--no-open", first).stdout == f"{url}/runs/{first}/tensorboard/\n"
    several = traindeck("tensorboard", "--no-open", second, first, second).stdout.strip()
    assert several == f"{url}/boards/?runs={second},{first}"
    board = traindeck.deck.client.get(several).headers["location"]
    assert traindeck.deck.client.get(f"{board}data/runs").json() == [f"{second} b", f"{first} a"]
    filtered = traindeck("tensorboard", "--no-open", "-q", "tag:x name:a&b").stdout.strip()
    assert filtered == f"{url}/boards/?q=tag:x%20name:a%26b"
    assert traindeck.deck.client.get(filtered).status_code == 307


def test_a_board_of_nothing_is_refused(traindeck: CommandLine) -> None:
    assert traindeck("tensorboard", "--no-open").returncode == 2
    assert traindeck("tensorboard", "--no-open", 1, "-q", "x").returncode == 2
    assert traindeck("tensorboard", "--no-open", 987654).returncode == 4
    assert traindeck("tensorboard", "--no-open", "-q", "nofield:1").returncode == 2


def test_a_browser_is_started_with_the_address(traindeck: CommandLine) -> None:
    write_logs(traindeck.folder / "logs", [0.5])
    (number,) = json.loads(traindeck("import", "logs", "--json").stdout)["runs"]
    note = traindeck.folder / "opened"
    browser = traindeck.folder / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{note}"\n')
    browser.chmod(0o755)
    done = traindeck("tensorboard", number, BROWSER=f"{browser} %s")
    assert done.returncode == 0
    assert note.read_text() == done.stdout.strip()
