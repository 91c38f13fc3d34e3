"""A run that writes whatever it likes into its folder spoils nothing but what the page says of it."""

import httpx
import pytest

from support.served import ServedDeck

SPOILS = """
import json, os, pathlib
here = pathlib.Path(".").resolve()
attempt, run = here.parent, here.parent.parent
for name in ("environment.json", "packages.json", "bars.json", "inputs.json"):
    (attempt / name).write_text('{"step": 1, "total": Infinity, "label": "\\\\ud800", "argv": 7, "packages": [NaN, [], {"name": 1}],'
        ' "recorded_at": 1e400, "environment": {"A": NaN}, "python": 1, "host": [], "torch": "x", "unit": [], "eta_seconds": NaN}')
(attempt / "progress.json").write_text('{"step": 1, "total": Infinity, "label": "\\\\ud800", "unit": [], "eta_seconds": NaN}')
(run / "git.json").write_text('{"commit": NaN, "branch": "\\\\udc80", "deep": ' + "[" * 1000 + "]" * 1000 + "}")
for number in range(3000):
    os.mkdir(f"folder-{number}")
os.close(os.open(b"no-utf8-\\xff.txt", os.O_CREAT | os.O_WRONLY))
os.mkdir(b"no-utf8-folder-\\xff")
for row in ("%" + " " * 398 + "a", "1/1 " * 100, "━━━━━ 1.2.3/4.5.6"):
    print("train:  50%|#####     | 1/2 [00:01<00:01, 1.00s/it]")
    print((row + "\\n") * 40)
"""
LOOKS = ("", "/record", "/files", "/scalars", "/code", "/log", "/tensorboard-state")


@pytest.fixture(scope="module")
def spoilt(cold_deck: ServedDeck) -> int:
    run = cold_deck.launch(SPOILS, name="spoilt")
    assert cold_deck.wait_until_ended(run["id"])["status"] == "completed", cold_deck.log_of(run["id"])
    return int(run["id"])


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_its_pages_and_the_list_answer(client: httpx.Client, spoilt: int, accept: str) -> None:
    for path in ("/runs", "/healthz", *(f"/runs/{spoilt}{look}" for look in LOOKS)):
        answer = client.get(path, headers={"Accept": accept})
        assert answer.status_code < 500, f"{path}: {answer.text[:300]}"
        assert "\ud800" not in answer.text


def test_what_can_be_read_of_its_progress_is_told(cold_deck: ServedDeck, spoilt: int) -> None:
    progress = cold_deck.run(spoilt)["progress"]
    assert progress == {"step": 1, "total": None, "unit": "step", "eta_seconds": None, "label": "\\ud800"}
