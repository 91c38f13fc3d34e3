"""What a board shows, and how the server asks the boards process for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

from traindeck.boards.session import Session

BOARD_HEADER = "Traindeck-Board"
"""The request header that names the board by its key."""

STATE_METHOD = "REPORT"
"""The method of a request for how far a board is, which opens none; visitors' requests never have it."""

SHARED_PATH = "/boards/bundle/"
"""Below this address of the deck lies what is the same for all boards: a browser has it once, and compiles it once."""

REFERENCE_HEADER = "Traindeck-Reference"
"""The header of an answer of status 500: the number under which the log of the boards process has what went wrong."""

NOT_OPEN_STATUS = 410
"""The board of that key is not open: open it and ask again."""


@dataclass(frozen=True)
class BoardSpec:
    """One board, as the server asks for it.

    Attributes:
        id: What log lines call it, such as "run-42".
        folders: From the prefix of TensorBoard's run names to an absolute folder. With the one prefix ""
            the folder is the log directory itself, and names are as its script chose them ("logs",
            "runs/Nov23_10-00-00"); else they are below their prefix ("attempt-2/logs").
        sessions: By prefix, what the attempts were started with; those without parameters are left out.
        earlier: By prefix, the folders of attempts, oldest first, whose steps go on in the prefix's folder: they
            are shown as one.
        colours: By prefix, a colour from 1 to 8, on a board of several runs; in the order in which they are listed.
        title: What the browser's tab says; TensorBoard's own words where it is empty.
        absent: What a visitor is told where none of the folders is there; the server's own, so it is not sent on.

    Raises:
        ValueError: a prefix would lead out of the board or lies below another, or a folder is not absolute.
    """

    id: str
    folders: Mapping[str, Path]
    sessions: Mapping[str, Session] = field(default_factory=dict)
    earlier: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    colours: Mapping[str, int] = field(default_factory=dict)
    title: str = ""
    absent: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for prefix in self.folders:
            for folder in self.chain(prefix):
                if not folder.is_absolute():
                    raise ValueError(f"board {self.id}: folder {str(folder)!r} is not absolute")
            if not _is_plain(prefix) or self._lies_below_another(prefix):
                raise ValueError(f"board {self.id}: {prefix!r} is no prefix of run names")

    def _lies_below_another(self, prefix: str) -> bool:
        return any(str(parent) in self.folders for parent in PurePosixPath(prefix).parents if str(parent) != ".") or (
            prefix != "" and "" in self.folders
        )

    def chain(self, prefix: str) -> list[Path]:
        """Return the folders below a prefix, oldest first."""
        return [*self.earlier.get(prefix, ()), self.folders[prefix]]

    def has_folder(self) -> bool:
        """Return True where at least one of the folders exists."""
        return any(folder.is_dir() for prefix in self.folders for folder in self.chain(prefix))


def _is_plain(prefix: str) -> bool:
    path = PurePosixPath(prefix)
    plain = not path.is_absolute() and ".." not in path.parts and "\0" not in prefix
    return plain and (prefix == "" or str(path) == prefix != ".")


@dataclass(frozen=True)
class Opening:
    """A board at the address under which browsers see it; `prefix` is that path without its last slash."""

    board: BoardSpec
    prefix: str

    def encode(self) -> bytes:
        """Return it as JSON, the same bytes for the same board at the same address."""
        folders = {prefix: str(folder) for prefix, folder in self.board.folders.items()}
        sessions = {prefix: session.as_json() for prefix, session in self.board.sessions.items()}
        earlier = {prefix: [str(folder) for folder in chain] for prefix, chain in self.board.earlier.items()}
        more = {
            "sessions": sessions,
            "earlier": earlier,
            "colours": dict(self.board.colours),
            "title": self.board.title,
        }
        content = {"id": self.board.id, "prefix": self.prefix, "folders": folders, **more}
        return json.dumps(content).encode()

    @property
    def key(self) -> str:
        """Return what requests name the board by: a digest, so that a board that changes is another board."""
        return hashlib.sha256(self.encode()).hexdigest()

    @property
    def place(self) -> tuple[str, str]:
        """Return what stays the same where a board's runs change."""
        return self.board.id, self.prefix

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the opening that `encode` wrote."""
        raw = json.loads(data)
        folders = {prefix: Path(folder) for prefix, folder in raw["folders"].items()}
        sessions = {prefix: Session.from_json(session) for prefix, session in raw["sessions"].items()}
        earlier = {prefix: tuple(map(Path, chain)) for prefix, chain in raw["earlier"].items()}
        return cls(BoardSpec(raw["id"], folders, sessions, earlier, raw["colours"], raw["title"]), raw["prefix"])
