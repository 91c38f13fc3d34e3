"""What the server and the boards process have agreed on, importable by both."""

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
