"""POST /runs: what is queued, and what is refused with the field, the value and what would be right."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.conftest import home_of, problem_of
from support.served import ServedDeck


def total(client: httpx.Client) -> int:
    return client.get("/runs", params={"limit": 1}).json()["total"]


SCRIPT = {"script": {"source": "pass", "filename": "train.py"}}


def test_a_run_is_queued_answered_and_found_at_its_location(client):
    response = client.post("/runs", json={**SCRIPT, "name": " tidy ", "tags": ["b", "a", "b"], "notes": "n"})

    assert response.status_code == 201
    run = response.json()
    assert response.headers["location"] == f"/runs/{run['id']}"
    assert (run["name"], run["tags"], run["notes"]) == ("tidy", ["a", "b"], "n")
    found = client.get(response.headers["location"]).json()
    assert found["id"] == run["id"]
    assert found["created_at"] == run["created_at"]
    assert run["created_at"].endswith("Z")
    assert run["script"] == {
        "kind": "source", "path": None, "module": None, "command": [], "filename": "train.py", "cwd": None, "args": [],
        "python": None, "cold": False, "resume_arg": None,
    }  # fmt: skip


def test_a_run_has_every_field_that_is_promised(client, written):
    run = client.get(f"/runs/{written}").json()

    assert set(run) == {
        "id", "name", "status", "status_reason", "trainer", "script", "params", "tags", "notes", "priority",
        "resources", "created_at", "started_at", "finished_at", "attempt", "exit_code", "progress", "metrics",
        "queue_position", "waiting_for", "log_size", "links", "start", "max_retries", "not_before", "rerun_of",
        "code_digest",
    }  # fmt: skip
    assert (run["status"], run["exit_code"], run["attempt"], run["log_size"]) == ("completed", 0, 1, 10_240)
    assert client.get(run["links"]["self"]).json()["id"] == written


def test_a_trainer_gets_every_parameter_that_it_was_not_given(queued, client):
    run = queued(trainer="tour", params={"steps": 3})

    assert run["params"] == {"steps": 3, "seconds": 10.0, "seed": 0}
    assert run["trainer"] == "tour"


def test_a_queued_run_says_its_place_and_why_it_waits(queued, client):
    first, second = queued(), queued()

    assert client.get(f"/runs/{first['id']}").json()["waiting_for"] == "1 CPU slot: all 2 are in use"
    places = [client.get(f"/runs/{run['id']}").json()["queue_position"] for run in (first, second)]
    assert places[1] == places[0] + 1


REFUSED = [
    ({"trainer": "mnits"}, "trainer", "there is no trainer \"mnits\"; did you mean 'mnist'?"),
    ({"trainer": "tour", "params": {"stesp": 3}}, "params.stesp", "no parameter \"stesp\"; did you mean 'steps'?"),
    ({"trainer": "tour", "params": {"steps": 0}}, "params.steps", "steps is 0, but must be at least 1"),
    ({"trainer": "tour", "params": {"steps": 5000}}, "params.steps", "steps is 5000, but must be at most 1000"),
    ({"trainer": "tour", "params": {"steps": "ten"}}, "params.steps", 'steps is "ten", but must be a whole number'),
    ({"trainer": "tour", "params": {"steps": 1.5}}, "params.steps", "steps is 1.5, but must be a whole number"),
    ({"trainer": "tour", "params": {"steps": None}}, "params.steps", "steps is null, but must be a whole number"),
    ({"trainer": "tour", "params": []}, "params", "params is [], but must be an object"),
    ({**SCRIPT, "nmae": "x"}, "nmae", "there is no field \"nmae\"; did you mean 'name'?"),
    ({**SCRIPT, "name": ""}, "name", "must be at least 1 character long"),
    ({**SCRIPT, "name": "x" * 201}, "name", "must be at most 200 characters long"),
    ({**SCRIPT, "tags": "a"}, "tags", 'tags is "a", but must be a list'),
    ({**SCRIPT, "tags": [1]}, "tags.0", "tags.0 is 1, but must be text"),
    ({**SCRIPT, "priority": "high"}, "priority", 'priority is "high", but must be a whole number'),
    ({**SCRIPT, "priority": 10**9}, "priority", "must be at most 1000000"),
    ({**SCRIPT, "max_retries": -1}, "max_retries", "max_retries is -1, but must be at least 0"),
    ({**SCRIPT, "resources": {"gpus": 1}}, "resources.gpus", "resources.gpus is 1, but this machine has no GPUs"),
    ({**SCRIPT, "resources": {"cpus": 64}}, "resources.cpus", "resources.cpus is 64, but this machine has 2 CPU slots"),
    ({**SCRIPT, "resources": {"cpus": 0}}, "resources.cpus", "resources.cpus is 0, but must be at least 1"),
    ({**SCRIPT, "resources": {"cpu": 1}}, "resources.cpu", "there is no field \"cpu\"; did you mean 'cpus'?"),
    ({**SCRIPT, "env": {"1A": "x"}}, "env.1A.[key]", "should match pattern"),
    ({**SCRIPT, "env": {"A": 1}}, "env.A", "env.A is 1, but must be text"),
    ({**SCRIPT, "env": {"A": "a\0b"}}, "env.A", "should match pattern"),
    ({**SCRIPT, "trainer": "tour"}, "body", "give either a trainer or a script"),
    ({}, "body", "give either a trainer or a script"),
    ([], "body", ""),
    ("text", "body", ""),
    (None, "body", ""),
    ({**SCRIPT, "params": {"a": 1}}, "params", "which the script has not: it has no parser"),
    ({"script": {}}, "script", "give one of path, source, module, command, upload"),
    ({"script": {"source": "", "path": "a"}}, "script", "upload, not path and source"),
    ({"script": {"module": "train"}}, "script", "a module needs cwd"),
    ({"script": {"module": "no-module", "cwd": "/"}}, "script.module", "should match pattern"),
    ({"script": {"module": "train", "cwd": "/nowhere"}}, "script.cwd", "is no folder on the server's machine"),
    ({"script": {"command": []}}, "script.command", "at least 1 item"),
    ({"script": {"command": ["no-such-program"]}}, "script.command", "is not on the server's PATH"),
    ({"script": {"command": ["true"], "args": ["a"]}}, "script", "leave out args and python"),
    ({"script": {"path": "/a.py", "filename": "b.py"}}, "script", "filename goes with source, not with path"),
    ({"script": {"source": "", "python": "/nowhere"}}, "script.python", "is no Python interpreter"),
    ({"script": {"path": "/a.py", "filename": "b.py"}}, "script", "filename goes with source"),
    ({"script": {"path": "/no/such.py"}}, "script.path", "'/no/such.py' does not exist on the server's machine"),
    ({"script": {"path": "/etc"}}, "script.path", "is not a file"),
    ({"script": {"path": "/dev/zero"}}, "script.path", "is not a file"),
    ({"script": {"path": "/proc/self/pagemap"}}, "script.path", "copy it to a folder of your own"),
    ({"script": {"path": "/proc/self/cmdline"}}, "script.path", "copy it to a folder of your own"),
    ({"script": {"module": "a", "cwd": "/proc/self"}}, "script.cwd", "copy it to a folder of your own"),
    ({"script": {"command": ["true"], "cwd": "/dev"}}, "script.cwd", "copy it to a folder of your own"),
    ({"script": {"path": "/etc/pass\0wd"}}, "script.path", "does not exist"),
    ({"script": {"path": "~nobody-of-that-name/a.py"}}, "script.path", "does not exist"),
    ({"script": {"source": "", "sorce": ""}}, "script.sorce", "did you mean 'source'?"),
    *[
        ({"script": {"source": "", "filename": name}}, "script.filename", "must be a plain file name")
        for name in ("../../x.py", "/x.py", "-x", ".x.py", "a\\b.py", "a\0.py", "a\n.py", "..", "")
    ],
]


@pytest.mark.parametrize(("body", "field", "says"), REFUSED, ids=lambda value: json.dumps(value)[:60])
def test_a_refusal_names_the_field_and_what_would_be_right_and_nothing_is_queued(client, body, field, says):
    before = total(client)

    content = problem_of(client.post("/runs", json=body), 422)

    assert field in [error["field"] for error in content["errors"]], content
    assert says in content["detail"]
    assert total(client) == before


def test_every_wrong_field_is_named_at_once(client):
    body = {"trainer": "tour", "params": {"steps": 0, "seed": -1, "x": 1}, "resources": {"gpus": 4}}

    fields = [error["field"] for error in problem_of(client.post("/runs", json=body), 422)["errors"]]

    assert sorted(fields) == ["params.seed", "params.steps", "params.x", "resources.gpus"]


def test_a_file_name_is_never_taken_for_a_command_or_a_path(cold_deck: ServedDeck):
    run = cold_deck.launch(script={"source": "print(__file__)", "filename": "$(id).py"})

    assert cold_deck.wait_until_ended(run["id"])["status"] == "completed"
    assert [path.name for path in (home_of(cold_deck, run["id"]) / "code").iterdir()] == ["$(id).py"]


def test_the_same_key_answers_the_same_run_and_another_body_is_refused(client):
    headers = {"Idempotency-Key": "launch-once"}
    before = total(client)

    first = client.post("/runs", json=SCRIPT, headers=headers)
    again = client.post("/runs", json=dict(reversed(SCRIPT.items())), headers=headers)
    other = client.post("/runs", json={**SCRIPT, "notes": "other"}, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == again.headers["location"]
    content = problem_of(other, 422)
    assert content["errors"][0]["field"] == "Idempotency-Key"
    assert f"run {first.json()['id']}" in content["detail"]
    assert total(client) == before + 1


def test_twenty_at_once_with_one_key_make_one_run(cold_deck: ServedDeck):
    before = total(cold_deck.client)

    def post(_: int) -> int:
        headers = {"Idempotency-Key": "all-at-once"}
        return httpx.post(f"{cold_deck.url}/runs", json=SCRIPT, headers=headers, trust_env=False).json()["id"]

    with ThreadPoolExecutor(20) as pool:
        ids = set(pool.map(post, range(20)))

    assert len(ids) == 1
    assert total(cold_deck.client) == before + 1


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_none_is_refused(client, key):
    problem_of(client.post("/runs", json=SCRIPT, headers={"Idempotency-Key": key}), 422)


BAD_JSON = {
    "nothing": b"",
    "half": b'{"script": ',
    "nan": b'{"trainer": "tour", "params": {"seconds": NaN}}',
    "infinity": b'{"trainer": "tour", "params": {"seconds": -Infinity}}',
    "overflow": b'{"trainer": "tour", "params": {"seconds": 1e999}}',
    "10,000 digits": b'{"trainer": "tour", "params": {"steps": ' + b"9" * 10_000 + b"}}",
    "400 digits": b'{"trainer": "tour", "params": {"steps": ' + b"9" * 400 + b"}}",
    "lone surrogate": b'{"script": {"source": "\\ud800"}}',
    "lone surrogate in a name": b'{"trainer": "tour", "params": {"\\udfff": 1}}',
    "not utf-8": b'{"trainer": "\xff"}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "900 levels": b'{"trainer": "tour", "params": {"steps": ' + b"[" * 900 + b"]" * 900 + b"}}",
    "a byte order mark": b"\xef\xbb\xbf[]",
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_json_that_could_not_be_written_down_again_is_refused_at_once(client, name):
    before = total(client)

    content = problem_of(
        client.post("/runs", content=BAD_JSON[name], headers={"Content-Type": "application/json"}), 422
    )

    assert len(content["detail"]) < 1000
    assert total(client) == before


def test_what_is_not_json_is_told_of_the_body(client):
    headers = {"Content-Type": "application/json"}
    content = problem_of(client.post("/runs", content=b'{"trainer": ', headers=headers), 422)
    assert content["detail"].startswith("the body is not JSON that can be read: ")


def test_a_hundred_megabytes_are_refused_before_they_are_read(client):
    def chunks():
        yield b'{"notes": "'
        for _ in range(100):
            yield b"x" * 1_000_000

    headers = {"Content-Type": "application/json"}
    problem_of(client.post("/runs", content=chunks(), headers=headers), 413)
    problem_of(client.post("/runs", content=b"x" * 3_000_000, headers=headers), 413)
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_json_under_another_type_makes_no_run(client, content_type):
    before = total(client)
    headers = {"Content-Type": content_type} if content_type else {}

    problem_of(client.post("/runs", content=json.dumps(SCRIPT).encode(), headers=headers), 415)

    assert total(client) == before


def test_markup_and_control_characters_are_kept_as_they_are(queued, client):
    name = "<script>alert(1)</script>\u202e\x07"

    run = queued(name=name, tags=["javascript:alert(1)"], notes="\0\r\n\x1b[31m")

    found = client.get(f"/runs/{run['id']}").json()
    assert (found["name"], found["tags"]) == (name, ["javascript:alert(1)"])
    assert found["notes"] == "\0\r\n\x1b[31m"
