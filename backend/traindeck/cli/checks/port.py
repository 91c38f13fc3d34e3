"""Whether the deck can listen on its port."""

import socket
from pathlib import Path

import psutil

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.cli.checks.home import server_note


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
    by = f" by process {owner.pid} ({owner.name()})" if owner else ""
    return wrong("port", f"{port} cannot be used: {problem}{by}", "Choose another: `traindeck serve --port 8001`.")


def owner_of(port: int) -> psutil.Process | None:
    """The process that listens on a TCP port, as far as this user may know."""
    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
                return psutil.Process(one.pid)
    except psutil.Error:
        return None
    return None


def _problem(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1)
        except OSError as error:
            return str(error.strerror).lower()
    return None
