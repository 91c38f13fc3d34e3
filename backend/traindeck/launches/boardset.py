"""Boards over several runs, given by numbers or by a filter, and over one run with all of its attempts.

The name of a board is part of its address: `runs-41,42`, or `q-…` with the text of a filter in base64url. Nothing is
stored, and such an address stays valid.
"""

import base64
import binascii
import re
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.session import session_of
from traindeck.db.engine import Database
from traindeck.db.tables import LARGEST_INTEGER, Run
from traindeck.errors import BoardNotFound, FieldError, InvalidRequest
from traindeck.launches.lines import lines
from traindeck.runs.comparison import COLOURS, run_colours
from traindeck.runs.files import DeckFiles
from traindeck.runs.filters import parse_filter
from traindeck.runs.queries import newest_matching
from traindeck.runs.status import Status
from traindeck.wording import counted

MOST = 100
"""Runs on one board."""
RULE = f"a board needs numbers of runs, {MOST} at most"
MAX_FILTER = 1000

KEPT = 32
KEPT_SECONDS = 2.0
"""A folder that was made or removed without the deck is noticed after this time."""

NAME_BYTES = 180
"""A name, with a number before it, is also the name of a folder, which has at most 255 bytes."""

UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of characters that control text: control characters, direction marks, line ends."""


@dataclass(frozen=True, slots=True)
class BoardSet:
    """Several runs as one board.

    Attributes:
        runs: The number of runs.
        count: The same as text, such as "newest 100 of 240 runs".
        live: Whether the board may show more later: a run has not ended, or others may match later.
    """

    board: BoardSpec
    runs: int
    count: str
    live: bool


class BoardSets:
    """A cache of boards by name, each with the number of changes when it was made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, float, BoardSet]] = OrderedDict()

    def get(self, name: str, changes: int, make: Callable[[], BoardSet]) -> BoardSet:
        """Return the board of that name as it is after so many changes; raises what `make` raises."""
        now = time.monotonic()
        with self._lock:
            before, made_at, kept = self._kept.get(name, (-1, 0.0, None))
        if kept is not None and before == changes and now - made_at < KEPT_SECONDS:
            return kept
        made = make()
        with self._lock:
            self._kept[name] = (changes, now, made)
            self._kept.move_to_end(name)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made


def name_of(runs: str | None, q: str | None) -> str:
    """Return the name of the board over these runs, the part of the path after /boards/.

    Raises:
        InvalidRequest: neither or both are given, or the list or filter is invalid.
    """
    if (runs is None) == (q is None):
        raise InvalidRequest([FieldError("runs", "give either runs, such as 41,42,57, or a filter q")])
    if runs is not None:
        return f"runs-{','.join(map(str, run_numbers(runs, 1, MOST, RULE)))}"
    parse_filter(q or "")
    return f"q-{encoded(q or '')}"


def encoded(q: str) -> str:
    """Return a filter as a part of a path."""
    return base64.urlsafe_b64encode(q.encode()).decode().rstrip("=")


def board_set(database: Database, files: DeckFiles, name: str) -> BoardSet:
    """Return the board of that name, with the runs that there are now; raises BoardNotFound where there is none."""
    kind, _, what = name.partition("-")
    if kind == "runs":
        runs = _named(database, run_numbers(what, 1, MOST, RULE))
        count = counted(len(runs), "run")
        id_, title = f"runs-{what[:40]}", f"{count} · TensorBoard"
    elif kind == "q":
        q = _decoded(what)
        runs, count = _matching(database, q)
        id_, title = "filter", f"{count} · {q or 'all'} · TensorBoard"
    else:
        raise BoardNotFound("There is no such board. /boards/?runs=41,42 opens one over runs 41 and 42.")
    names = {board_name(run.id or 0, run.name): run for run in runs}
    colours = run_colours([run.id or 0 for run in runs[:COLOURS]])
    wanted = {prefix: colours.get(run.id or 0, (run.id or 0) % COLOURS + 1) for prefix, run in names.items()}
    live = kind == "q" or not all(Status(run.status).is_final for run in runs)
    return BoardSet(board_over(id_, files, names, wanted, title), len(runs), count, live)


def board_of(run: Run, files: DeckFiles) -> BoardSpec:
    """Return the board of one run, with all of its attempts."""
    return board_over(f"run-{run.id}", files, {"": run})


def board_over(
    board_id: str, files: DeckFiles, runs: dict[str, Run], colours: dict[str, int] | None = None, title: str = ""
) -> BoardSpec:
    """Return a board over runs by the prefixes of their names; attempts that do not continue each other stand apart."""
    folders, sessions, earlier = {}, {}, {}
    for prefix, run in runs.items():
        run_files = files.run(run.id or 0)
        found = lines(run_files, run.attempt)
        for line in found:
            name = "/".join(filter(None, [prefix, f"attempt-{line[0]}" if len(found) > 1 else ""]))
            *before, last = (run_files.attempt(number) for number in line)
            folders[name] = last.work
            if before:
                earlier[name] = tuple(attempt.work for attempt in before)
            if session := session_of(run.params, last.folder):
                sessions[name] = session
    return BoardSpec(board_id, folders, sessions, earlier, colours or {}, title)


def board_name(run_id: int, name: str) -> str:
    """Return number and name, as in "42 quiet-otter", without control characters and slashes (these nest runs)."""
    shown = "".join("_" if char in "/\\" else char for char in name if unicodedata.category(char) not in UNSAFE)
    cut = shown.encode()[:NAME_BYTES].decode(errors="ignore")
    return f"{run_id} {cut}".strip()


def _named(database: Database, numbers: list[int]) -> list[Run]:
    with database.read() as session:
        found = {run.id: run for run in session.execute(select(Run).where(col(Run.id).in_(numbers))).scalars()}
    return [found[number] for number in numbers if number in found]


def _matching(database: Database, q: str) -> tuple[list[Run], str]:
    """Return the newest runs that match, and in words how many there are."""
    with database.read() as session:
        runs, total, exact = newest_matching(session, q, MOST)
    matching = counted(total, "run") if exact else f"{total:,}+ runs"
    return runs, f"newest {MOST} of {matching}" if total > MOST else matching


def _decoded(text: str) -> str:
    try:
        q = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
    except (ValueError, binascii.Error):
        q = " "
    if len(q) > MAX_FILTER or encoded(q) != text:
        raise BoardNotFound("There is no such board. /boards/?q=tag:baseline opens one over all runs that match.")
    return q


def run_numbers(text: str, fewest: int, most: int, rule: str) -> list[int]:
    """Return the numbers in a list such as 41,42, each once, in its order.

    Raises:
        InvalidRequest: it is not such a list, or has not `fewest` to `most` numbers, which `rule` explains.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(re.fullmatch(r"[0-9]{1,19}", part) and 1 <= int(part) <= LARGEST_INTEGER for part in parts):
        raise InvalidRequest([FieldError("runs", f"runs is {text!r}, but must be numbers of runs such as 41,42")])
    numbers = list(dict.fromkeys(int(part) for part in parts))
    if not fewest <= len(numbers) <= most:
        given = counted(len(numbers), "run")
        raise InvalidRequest([FieldError("runs", f"runs names {given}, but {rule}")])
    return numbers
