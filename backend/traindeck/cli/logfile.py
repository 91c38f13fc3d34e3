"""A run's log, read over HTTP by offset: what has been printed once is not printed again."""

from typing import TYPE_CHECKING

from traindeck.cli.client import call, check, connect, unreachable
from traindeck.cli.terminal import write_bytes

if TYPE_CHECKING:
    import httpx

BLOCK_BYTES = 262_144
SIZE_HEADER = "Traindeck-Log-Size"


class LogReader:
    """Copies the log of one attempt at a time to stdout, from `offset` on."""

    def __init__(self, url: str | None, run_id: int, attempt: int, offset: int = 0) -> None:
        self.url = url
        self.run_id = run_id
        self.attempt = attempt
        self.offset = offset

    def begin(self, attempt: int) -> None:
        """Go on with the beginning of another attempt's log."""
        self.attempt, self.offset = attempt, 0

    def copy(self) -> None:
        """Print what has been written since the last call.

        Raises:
            CommandFailed: no deck answers, or it refuses; what was printed counts as printed.
        """
        import httpx

        if not self.attempt:
            return
        with connect(self.url) as client:
            try:
                self._copy(client)
            except httpx.TransportError as error:
                raise unreachable(client, error) from error

    def _copy(self, client: "httpx.Client") -> None:
        asked = {"offset": self.offset, "attempt": self.attempt}
        with client.stream("GET", f"/runs/{self.run_id}/log", params=asked) as response:
            if not response.is_success:
                response.read()
                check(response)
            for chunk in response.iter_bytes():
                write_bytes(chunk)
                self.offset += len(chunk)


def tail_offset(client: "httpx.Client", run_id: int, attempt: int | None, lines: int) -> int:
    """Where the last `lines` lines of a log begin. It is read from its end, and only as far as that takes.

    Raises:
        CommandFailed: no deck answers, or it refuses.
    """
    end = int(_block(client, run_id, attempt, 0, 0).headers[SIZE_HEADER])
    # The line feed at the very end ends the last line; it begins none.
    wanted, position = lines, end
    while position > 0:
        start = max(position - BLOCK_BYTES, 0)
        block = _block(client, run_id, attempt, start, position - start).content
        searched = block[:-1] if position == end else block
        found = searched.count(b"\n")
        if found >= wanted:
            return end if not lines else start + _nth_last(searched, wanted) + 1
        wanted, position = wanted - found, start
    return 0


def _nth_last(block: bytes, n: int) -> int:
    position = len(block)
    for _ in range(n):
        position = block.rindex(b"\n", 0, position)
    return position


def _block(client: "httpx.Client", run_id: int, attempt: int | None, offset: int, limit: int) -> "httpx.Response":
    asked = {"offset": offset, "limit": limit, **({"attempt": attempt} if attempt else {})}
    return call(client, "GET", f"/runs/{run_id}/log", params=asked)
