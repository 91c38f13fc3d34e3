"""`traindeck logs`: read a run's log over HTTP by offset, so that no byte is printed twice."""

from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.arguments import Number, Url
from traindeck.cli.deck_client import call, check_success, connect, get_run, unreachable
from traindeck.cli.exits import Exit, exit_of
from traindeck.cli.follow import retry_while_away, watch_run
from traindeck.cli.terminal import print_note, write_bytes

if TYPE_CHECKING:
    import httpx

BLOCK_BYTES = 262_144
SIZE_HEADER = "Traindeck-Log-Size"


def logs(
    number: Number,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Continue until the run ends.")] = False,
    attempt: Annotated[int | None, typer.Option(min=1, help="The attempt. Default: the current one.")] = None,
    tail: Annotated[int | None, typer.Option(min=0, metavar="LINES", help="Only the last lines.")] = None,
    url: Url = None,
) -> None:
    """Print the log of a run, byte for byte."""
    with connect(url) as client:
        shown = attempt or get_run(client, number).attempt
        # A run without an attempt has no log; requested without a number, it is empty.
        start = 0 if tail is None else tail_offset(client, number, shown or None, tail)
    reader = LogReader(url, number, shown, start)
    if not follow:
        reader.copy()
        return
    try:
        raise typer.Exit(follow_log(url, reader, only=attempt))
    except KeyboardInterrupt:
        print_note(f"Run {number} keeps running. To stop it: traindeck cancel {number}")
        raise typer.Exit(Exit.INTERRUPTED) from None


class LogReader:
    """Copies the log of one attempt at a time to stdout, from `offset` on."""

    def __init__(self, url: str | None, run_id: int, attempt: int, offset: int = 0) -> None:
        self.url = url
        self.run_id = run_id
        self.attempt = attempt
        self.offset = offset

    def begin(self, attempt: int) -> None:
        """Continue at the beginning of another attempt's log."""
        self.attempt, self.offset = attempt, 0

    def copy(self) -> None:
        """Print what was written since the last call.

        Raises:
            CommandFailed: no deck answers, or the deck refuses; bytes already printed are not printed again.
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
        query = {"offset": self.offset, "attempt": self.attempt}
        with client.stream("GET", f"/runs/{self.run_id}/log", params=query) as response:
            if not response.is_success:
                response.read()
                check_success(response)
            for chunk in response.iter_bytes():
                write_bytes(chunk)
                self.offset += len(chunk)


def follow_log(url: str | None, reader: LogReader, *, only: int | None) -> Exit:
    """Print the growing log until the run ends, also of later attempts; or only until the attempt `only` ends.

    Returns:
        The exit code for the final status of the run; OK for an attempt that was not the last.
    """
    for run in watch_run(url, reader.run_id):
        if run.attempt != reader.attempt:
            retry_while_away(reader.copy)
            if only is not None:
                return Exit.OK
            if reader.attempt:
                print_note(f"Attempt {run.attempt} of run {run.id}")
            reader.begin(run.attempt)
        if run.log_size > reader.offset or run.status.is_final:
            retry_while_away(reader.copy)
        if run.status.is_final:
            return exit_of(run.status)
    raise AssertionError("watch_run ended before its caller stopped")


def tail_offset(client: "httpx.Client", run_id: int, attempt: int | None, lines: int) -> int:
    """Return where the last `lines` lines of a log begin. The log is read backwards, no further than necessary.

    Raises:
        CommandFailed: no deck answers, or the deck refuses.
    """
    end = int(_block(client, run_id, attempt, 0, 0).headers[SIZE_HEADER])
    # A line feed at the very end ends the last line and begins none.
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
    query = {"offset": offset, "limit": limit, **({"attempt": attempt} if attempt else {})}
    return call(client, "GET", f"/runs/{run_id}/log", params=query)
