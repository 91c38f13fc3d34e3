"""Listen on a TCP port, and find out who uses it if that fails."""

import socket

import psutil

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        OSError: the port is in use, or this user may not use it.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def owner_of(port: int) -> psutil.Process | None:
    """Return the process that listens on a TCP port, if this user may see it."""
    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and tuple(one.laddr)[1:2] == (port,) and one.pid:
                return psutil.Process(one.pid)
    except psutil.Error:
        return None
    return None


def describe_owner(owner: psutil.Process | None) -> str:
    """Return the end of a sentence, such as " by process 42 (python)"; "" if the owner is unknown."""
    if owner is None:
        return ""
    try:
        return f" by process {owner.pid} ({owner.name()})"
    except psutil.Error:
        return f" by process {owner.pid}"
