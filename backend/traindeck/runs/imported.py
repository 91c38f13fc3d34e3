"""Attempts whose files lie in a folder of the user's: it is read where it is, and never written or removed."""

import json
from pathlib import Path

from traindeck.runs.files import AttemptFiles, write_whole


def imported_from(attempt: AttemptFiles) -> Path | None:
    """The folder that an attempt is read from; None for one that the deck started, or copied."""
    return None if attempt.work.parent == attempt.folder else attempt.work


def point_to(attempt: AttemptFiles, folder: Path) -> None:
    """Have `attempt.work` be a folder of the user's.

    Raises:
        OSError: the disk is full.
    """
    # In ASCII: a folder's name need not be UTF-8, and what is not can be written so.
    write_whole(attempt.imported, json.dumps({"folder": str(folder)}).encode())
