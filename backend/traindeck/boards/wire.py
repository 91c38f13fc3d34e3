"""What the server and the boards process have agreed on, importable by both."""

BOARD_HEADER = "Traindeck-Board"
"""The request header that names the board by its key."""

NOT_OPEN_STATUS = 410
"""The board of that key is not open: open it and ask again."""
