"""What the launch form asks for while it is filled in."""

from pathlib import Path
from typing import Any

from support.served import ServedDeck

SCRIPT = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("data")
p.add_argument("--lr", type=float, default=0.1)
p.add_argument("--quiet", help=argparse.SUPPRESS)
print(p.parse_{known}args())
"""


def ask(deck: ServedDeck, **body: Any) -> dict[str, Any]:
    response = deck.client.post("/launch/options", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def pasted(known: str = "") -> dict[str, str]:
    return {"source": SCRIPT.format(known=known), "filename": "train.py"}


def test_a_form_that_the_page_shows_already_is_not_sent_again(shared_deck: ServedDeck) -> None:
    first = ask(shared_deck, script=pasted())
    assert 'id="option-lr"' in first["html"]
    assert ask(shared_deck, script=pasted(), form=first["form"])["html"] is None


def test_arguments_become_fields_and_what_no_field_stands_for_remains(shared_deck: ServedDeck) -> None:
    answer = ask(shared_deck, script=pasted("known_"), args=["--lr", "0.5", "--other"])
    assert (answer["params"], answer["rest"], answer["errors"]) == ({"lr": 0.5}, ["--other"], [])


def test_arguments_with_a_hidden_option_stay_as_they_were_typed(shared_deck: ServedDeck) -> None:
    answer = ask(shared_deck, script=pasted(), args=["--lr", "0.5", "--quiet", "yes"])
    assert (answer["params"], answer["rest"]) == ({}, ["--lr", "0.5", "--quiet", "yes"])


def test_what_the_script_would_refuse_is_told_at_the_arguments(shared_deck: ServedDeck) -> None:
    answer = ask(shared_deck, script=pasted(), args=["--lr", "fast"])
    assert [error["field"] for error in answer["errors"]] == ["script.args"]
    assert "fast" in answer["errors"][0]["message"]


def test_a_script_without_a_form_and_a_command_say_why(shared_deck: ServedDeck) -> None:
    for script in ({"source": "print(1)"}, {"command": ["echo"]}):
        answer = ask(shared_deck, script=script, args=["a"])
        assert (answer["form"], answer["html"], answer["rest"]) == ("", "", ["a"])
        assert answer["reason"]


def test_the_options_of_a_run_are_those_of_the_code_that_it_had(shared_deck: ServedDeck, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.format(known=""))
    run = shared_deck.launch(script={"path": str(script), "args": ["/d", "--lr", "0.5"]})
    script.write_text("print('other code')")
    answer = ask(shared_deck, run=run["id"], args=run["script"]["args"])
    assert (answer["params"], answer["rest"]) == ({"data": "/d", "lr": 0.5}, [])
    assert 'data-default="0.5"' in answer["html"]


def test_a_path_that_is_not_typed_to_its_end_is_no_error(shared_deck: ServedDeck) -> None:
    answer = ask(shared_deck, script={"path": "/nowhere/tra"})
    assert "does not exist" in answer["problem"]
    assert (answer["form"], answer["html"]) == ("", "")


def test_a_script_and_a_run_at_once_are_refused(shared_deck: ServedDeck) -> None:
    response = shared_deck.client.post("/launch/options", json={"script": pasted(), "run": 1})
    assert response.status_code == 422


def test_the_form_of_a_run_never_carries_its_secrets(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch("print(1)", env={"HF_TOKEN": "hush-hush", "PLAIN": "seen"})
    page = shared_deck.client.get("/launch", params={"from": run["id"]}, headers={"Accept": "text/html"}).text
    assert "hush-hush" not in page
    assert "HF_TOKEN=***" in page
    assert "PLAIN=seen" in page
