"""As much of a terminal as progress bars need: carriage returns, lines, the cursor moved up and down, erasing."""

import codecs
import re

ROWS = 64
"""Rows that are kept; what scrolls out at the top is forgotten."""
ROWS_ABOVE = 16
"""Empty rows above a cleared screen's cursor: bars within others move up to rows that were drawn before."""
COLUMNS = 400
"""Longer rows are cut: no bar is as wide."""
ENDED = "100%"

TOKEN = re.compile(
    r"\r|\n|\x08+|\x1b\[([0-9;?]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[^\r\n\x08\x1b]+", re.DOTALL
)
UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?]{0,16}|\][^\x07\x1b]{0,200})?$")
"""A sequence of which the rest has not been written yet; see ECMA-48."""


class Screen:
    """The last rows of what was written. Bounded, whatever is fed to it.

    Attributes:
        rows: Their text, without colours.
        row: Where the cursor is; `column` likewise.
        arrived: True where the cursor came down a line, and nothing was written there since.
        left_upwards: For each row, its text when the cursor last moved up from it, as from a bar within another.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything, as where a part of the output was passed over."""
        self.rows = [""] * (ROWS_ABOVE + 1)
        self.left_upwards = [""] * len(self.rows)
        self.row, self.column = ROWS_ABOVE, 0
        self.arrived = False
        self._held = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, output: bytes) -> None:
        """Take in what was written next."""
        text = self._held + self._decoder.decode(output)
        cut = UNFINISHED.search(text[-256:])
        self._held = cut[0] if cut else ""
        end = len(text) - len(self._held)
        for token in TOKEN.finditer(text, 0, end):
            self._take(token)

    def _take(self, token: re.Match[str]) -> None:
        text = token[0]
        if text == "\r":
            self.column = 0
        elif text == "\n":
            if ENDED in self.rows[self.row]:
                # A bar within another is left behind in the outer one's row: what stood below is drawn anew, or gone.
                del self.rows[self.row + 1 :], self.left_upwards[self.row + 1 :]
            self._down(1)
            self.column, self.arrived = 0, True
        elif text[0] == "\x08":
            self.column = max(self.column - len(text), 0)
        elif token[2]:
            self._obey(token[2], token[1])
        elif text[0] != "\x1b":
            self._write(text)

    def _obey(self, command: str, parameter: str) -> None:
        count = max(int(parameter[:3]), 1) if parameter[:3].isdecimal() else 1
        row = self.rows[self.row]
        if command == "A":
            self.left_upwards[self.row] = row
            self.row, self.arrived = max(self.row - count, 0), False
        elif command == "B":
            self._down(count)
        elif command == "C":
            self.column = min(self.column + count, COLUMNS)
        elif command == "D":
            self.column = max(self.column - count, 0)
        elif command == "G":
            self.column = min(count, COLUMNS) - 1
        elif command == "K":
            self.rows[self.row] = "" if parameter == "2" else row[: self.column]

    def _down(self, count: int) -> None:
        self.row = min(self.row + count, self.row + ROWS)
        missing = self.row + 1 - len(self.rows)
        self.rows += [""] * missing
        self.left_upwards += [""] * missing
        gone = len(self.rows) - ROWS
        if gone > 0:
            del self.rows[:gone], self.left_upwards[:gone]
            self.row -= gone

    def _write(self, text: str) -> None:
        self.arrived = False
        row, end = self.rows[self.row], self.column + len(text)
        self.rows[self.row] = f"{row[: self.column].ljust(self.column)}{text}{row[end:]}"[:COLUMNS]
        self.column = min(end, COLUMNS)
