"""Speaks HTTP to a deck, and turns its refusals into messages and exit codes."""

import json
import os
from pathlib import Path
from typing import Any

import httpx

from traindeck.cli.exits import Exit
from traindeck.settings import Settings

TIMEOUT_SECONDS = 30.0
EXITS = {404: Exit.NOT_FOUND, 409: Exit.CONFLICT, 413: Exit.USAGE, 415: Exit.USAGE, 422: Exit.USAGE}


class CommandFailed(Exception):
    """A command that could not do its work; the message says why."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def deck_url(given: str | None) -> str:
    """The address of the deck: as given, from TRAINDECK_URL, from the deck's own note, or the default."""
    if given or os.environ.get("TRAINDECK_URL"):
        return (given or os.environ["TRAINDECK_URL"]).rstrip("/")
    settings = Settings()
    return _noted_url(settings.home) or f"http://127.0.0.1:{settings.port}"


def connect(url: str | None) -> httpx.Client:
    """A client of the deck. Its requests go past any proxy: a deck is on loopback."""
    return httpx.Client(base_url=deck_url(url), timeout=TIMEOUT_SECONDS, trust_env=False)


def call(client: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
    """The answer to one request.

    Raises:
        CommandFailed: no deck answers, or it refuses.
    """
    try:
        response = client.request(method, path, headers={"Accept": "application/json"}, **options)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    if response.is_error:
        raise CommandFailed(_detail(response), EXITS.get(response.status_code, Exit.FAILED))
    return response


def unreachable(client: httpx.Client, error: Exception) -> CommandFailed:
    """The failure to say that no deck answers."""
    where = str(client.base_url).rstrip("/")
    return CommandFailed(
        f"no deck answers at {where} ({error}). Start one with `traindeck serve`, or name it with --url",
        Exit.UNREACHABLE,
    )


def _noted_url(home: Path) -> str | None:
    try:
        return str(json.loads((home / "server.json").read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the deck answered {response.status_code}"
