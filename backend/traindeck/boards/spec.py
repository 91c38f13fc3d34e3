"""What a board shows: an id and the folders whose event files it reads."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

from traindeck.boards.session import Session


@dataclass(frozen=True)
class BoardSpec:
    """One board, as the server asks for it.

    Attributes:
        id: What log lines call it, such as "run-42".
        folders: From the prefix of TensorBoard's run names to an absolute folder. With the one prefix ""
            the folder is the log directory itself, and names are as its script chose them ("logs",
            "runs/Nov23_10-00-00"); else they are below their prefix ("attempt-2/logs").
        sessions: By prefix, what the attempts were started with; those without parameters are left out.

    Raises:
        ValueError: a prefix would lead out of the board or lies below another, or a folder is not absolute.
    """

    id: str
    folders: Mapping[str, Path]
    sessions: Mapping[str, Session] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for prefix, folder in self.folders.items():
            if not folder.is_absolute():
                raise ValueError(f"board {self.id}: folder {str(folder)!r} is not absolute")
            if not _is_plain(prefix) or self._lies_below_another(prefix):
                raise ValueError(f"board {self.id}: {prefix!r} is no prefix of run names")

    def _lies_below_another(self, prefix: str) -> bool:
        return any(prefix != other and PurePosixPath(prefix).is_relative_to(other) for other in self.folders)

    def has_folder(self) -> bool:
        """True where at least one of the folders exists."""
        return any(folder.is_dir() for folder in self.folders.values())


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
        """As JSON, the same bytes for the same board at the same address."""
        folders = {prefix: str(folder) for prefix, folder in self.board.folders.items()}
        sessions = {prefix: session.as_json() for prefix, session in self.board.sessions.items()}
        content = {"id": self.board.id, "prefix": self.prefix, "folders": folders, "sessions": sessions}
        return json.dumps(content).encode()

    @property
    def key(self) -> str:
        """What requests name the board by: a digest, so that a board that changes is another board."""
        return hashlib.sha256(self.encode()).hexdigest()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The opening that `encode` wrote."""
        raw = json.loads(data)
        folders = {prefix: Path(folder) for prefix, folder in raw["folders"].items()}
        sessions = {prefix: Session.from_json(session) for prefix, session in raw["sessions"].items()}
        return cls(BoardSpec(raw["id"], folders, sessions), raw["prefix"])
