"""Whether the deck can listen on its port."""

from pathlib import Path

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.cli.checks.home import server_note
from traindeck.ports import describe_owner, listen, owner_of


def check_port(host: str, port: int, home: Path) -> Finding:
    """Whether the port is free, or this deck's own; if it is neither, whose it is."""
    if port == 0:
        return good("port", "any free one")
    problem = _problem(host, port)
    if problem is None:
        return good("port", f"{port} is free")
    owner = owner_of(port)
    note = server_note(home)
    if note and owner is not None and note.get("pid") == owner.pid:
        return good("port", f"{port} is this deck's own")
    by = describe_owner(owner)
    return wrong("port", f"{port} cannot be used: {problem}{by}", "Choose another: `traindeck serve --port 8001`.")


def _problem(host: str, port: int) -> str | None:
    try:
        listen(host, port).close()
    except OSError as error:
        return str(error.strerror).lower()
    return None
