"""How far a board is with what a run has written."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class State(StrEnum):
    """What there is to say of a board.

    `WAITING`: the run has had no attempt. `GONE`: its folder is not there. `EMPTY`: nothing was written that a board
    could show. `AWAY`: TensorBoard does not run at this moment. `CLOSED`: the board is not open, and opens when
    somebody looks at it. `READING`, `CURRENT`: it is open, and has more to read or not. `FULL`: it is open,
    and there is no memory for the rest.
    """

    WAITING = "waiting"
    GONE = "gone"
    EMPTY = "empty"
    AWAY = "away"
    CLOSED = "closed"
    READING = "reading"
    CURRENT = "current"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class BoardState:
    """One look at a board.

    Attributes:
        state: What there is to say.
        disk_bytes: The size of the event files when they were last looked at.
        read_bytes: How much of that the board has taken in; 0 where it is not open.
        last_step: The highest step of what it has taken in; None where there is none.
        reason: For people: why TensorBoard is away.
    """

    state: State
    disk_bytes: int = 0
    read_bytes: int = 0
    last_step: int | None = None
    reason: str = ""

    def encode(self) -> bytes:
        """As JSON."""
        content = {"state": self.state, "disk_bytes": self.disk_bytes, "read_bytes": self.read_bytes}
        return json.dumps({**content, "last_step": self.last_step, "reason": self.reason}).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The state that `encode` wrote."""
        content = json.loads(data)
        return cls(**{**content, "state": State(content["state"])})
