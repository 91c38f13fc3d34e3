"""Speaks HTTP to a deck, and turns its refusals into messages and exit codes."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traindeck.cli.configuration import read_settings
from traindeck.cli.exits import CommandFailed, Exit

if TYPE_CHECKING:
    import httpx

    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunView

TIMEOUT_SECONDS = 30.0
EXITS = {
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    413: Exit.USAGE,
    415: Exit.USAGE,
    422: Exit.USAGE,
    503: Exit.UNREACHABLE,
}


def deck_url(given: str | None) -> str:
    """The address of the deck: as given, from the deck's own note, or the default.

    Raises:
        CommandFailed: a setting in the environment is wrong.
    """
    if given:
        return given.rstrip("/")
    from traindeck.runs.files import read_json

    settings = read_settings()
    noted = read_json(settings.home / "server.json") or {}
    return str(noted.get("url") or f"http://127.0.0.1:{settings.port}")


def connect(url: str | None) -> "httpx.Client":
    """A client of the deck. Its requests go past any proxy: a deck is on loopback.

    Raises:
        CommandFailed: `url` is no address.
    """
    import httpx

    address = deck_url(url)
    try:
        parsed = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise CommandFailed(f"{address!r} is no address: {error}", Exit.USAGE) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise CommandFailed(f"{address!r} is no address: it must be like http://127.0.0.1:8000", Exit.USAGE)
    return httpx.Client(base_url=parsed, timeout=TIMEOUT_SECONDS, trust_env=False)


def call(
    client: "httpx.Client", method: str, path: str, *, body: Mapping[str, Any] | None = None, **options: Any
) -> "httpx.Response":
    """The answer to one request, which carries `body` as JSON.

    Raises:
        CommandFailed: no deck answers, or it refuses.
    """
    import httpx

    headers = {"Accept": "application/json"}
    if body is not None:
        # Escaped to ASCII: an argument that is not UTF-8 has surrogates, which the deck shall judge.
        options["content"] = json.dumps(body)
        headers["Content-Type"] = "application/json"
    try:
        response = client.request(method, path, headers=headers, **options)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    check(response)
    return response


def get_run(client: "httpx.Client", run_id: int) -> "RunView":
    """One run, as it is now. Raises CommandFailed."""
    return read_run(call(client, "GET", f"/runs/{run_id}").content)


def get_directions(client: "httpx.Client") -> "dict[str, Better]":
    """Which way scalars are better, as far as it was set in the deck. Raises CommandFailed."""
    from traindeck.runs.directions import Better

    said = call(client, "GET", "/metric-directions").json()["directions"]
    return {tag: Better(better) for tag, better in said.items()}


def read_run(content: bytes) -> "RunView":
    """The run in the deck's JSON.

    Raises:
        CommandFailed: this is not what a deck answers.
    """
    from pydantic import ValidationError

    from traindeck.runs.view import RunView

    try:
        return RunView.model_validate_json(content)
    except ValidationError as error:
        raise CommandFailed("what answers there is no deck that this command knows") from error


def check(response: "httpx.Response") -> None:
    """Raises CommandFailed, with the deck's own words, where the (whole) answer is a refusal."""
    if not response.is_success:
        raise CommandFailed(_detail(response), EXITS.get(response.status_code, Exit.FAILED))


def unreachable(client: "httpx.Client", error: Exception) -> CommandFailed:
    """The failure to say that no deck answers."""
    where = str(client.base_url).rstrip("/")
    return CommandFailed(
        f"no deck answers at {where} ({error}). Start one with `traindeck serve`, or name it with --url",
        Exit.UNREACHABLE,
    )


def _detail(response: "httpx.Response") -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{response.url} answered {response.status_code}: is there a deck?"
