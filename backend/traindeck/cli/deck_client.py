"""Send HTTP requests to a deck, and turn its refusals into messages and exit codes."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from traindeck.cli.arguments import read_settings
from traindeck.cli.exits import CommandFailed, Exit

if TYPE_CHECKING:
    import httpx
    from pydantic import BaseModel

    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunView

Answer = TypeVar("Answer", bound="BaseModel")
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
    """Return the deck's address: as given, from `server.json` in its home, or the default.

    Raises:
        CommandFailed: a setting in the environment is wrong.
    """
    if given:
        return given.rstrip("/")
    from traindeck.runs.files import read_json

    settings = read_settings()
    served = read_json(settings.home / "server.json") or {}
    return str(served.get("url") or f"http://127.0.0.1:{settings.port}")


def connect(url: str | None) -> "httpx.Client":
    """Return a client of the deck. It uses no proxy, because a deck listens on loopback.

    Raises:
        CommandFailed: `url` is not an address.
    """
    import httpx

    address = deck_url(url)
    try:
        parsed = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise CommandFailed(f"{address!r} is not an address: {error}", Exit.USAGE) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise CommandFailed(f"{address!r} is not an address. Write it like http://127.0.0.1:8000", Exit.USAGE)
    return httpx.Client(base_url=parsed, timeout=TIMEOUT_SECONDS, trust_env=False)


def call(
    client: "httpx.Client", method: str, path: str, *, body: Mapping[str, Any] | None = None, **options: Any
) -> "httpx.Response":
    """Send a request, with `body` as JSON, and return the answer.

    Raises:
        CommandFailed: no deck answers, or the deck refuses.
    """
    import httpx

    headers = {"Accept": "application/json"}
    if body is not None:
        # Escaped to ASCII: an argument that is not UTF-8 contains surrogates, and the deck decides about those.
        options["content"] = json.dumps(body)
        headers["Content-Type"] = "application/json"
    try:
        response = client.request(method, path, headers=headers, **options)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    check_success(response)
    return response


def get_run(client: "httpx.Client", run_id: int) -> "RunView":
    """Return the run as it is now. Raises CommandFailed."""
    return read_run(call(client, "GET", f"/runs/{run_id}").content)


def get_directions(client: "httpx.Client") -> "dict[str, Better]":
    """Return the deck's settings of which way scalars are better. Raises CommandFailed."""
    from traindeck.runs.directions import Better

    said = call(client, "GET", "/metric-directions").json()["directions"]
    return {tag: Better(better) for tag, better in said.items()}


def read_run(content: bytes) -> "RunView":
    """Return the run in a deck's answer. Raises CommandFailed."""
    from traindeck.runs.view import RunView

    return read_answer(RunView, content)


def read_answer(model: type[Answer], content: bytes) -> Answer:
    """Validate the JSON of a deck's answer.

    Raises:
        CommandFailed: no deck of this version answers like this.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        message = "the answer does not come from a deck of this version. Check the address and `traindeck --version`"
        raise CommandFailed(message) from error


def check_success(response: "httpx.Response") -> None:
    """Raise CommandFailed with the deck's message if the answer, read completely, is a refusal."""
    if not response.is_success:
        raise CommandFailed(_detail(response), EXITS.get(response.status_code, Exit.FAILED))


def unreachable(client: "httpx.Client", error: Exception) -> CommandFailed:
    """Return the failure that says that no deck answers."""
    where = str(client.base_url).rstrip("/")
    return CommandFailed(
        f"no deck answers at {where} ({error}). Start one with `traindeck serve`, or give its address with --url",
        Exit.UNREACHABLE,
    )


def _detail(response: "httpx.Response") -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{response.url} answered {response.status_code}, and not as a deck does. Check the address"
