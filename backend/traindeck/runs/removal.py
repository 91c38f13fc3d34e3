"""Remove the folders of deleted runs, whatever their contents and permissions."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from traindeck.runs.files import DeckFiles

logger = logging.getLogger(__name__)

DOOMED = ".deleted-"
"""The prefix of a folder that is being removed."""
LONG_PATH = 2000
"""The kernel accepts paths of 4,096 bytes; deeper folders are moved up first."""


def remove_files(files: DeckFiles, run_id: int) -> None:
    """Remove the folder of a deleted run. It disappears at once, even if removing its contents takes long.

    The remains of earlier, interrupted removals are removed as well. This never raises, because the run is deleted
    already.
    """
    folder = files.run(run_id).folder
    try:
        folder.rename(folder.with_name(f"{DOOMED}{run_id}"))
    except FileNotFoundError:
        logger.info("run=%d had no folder to remove", run_id)
    except OSError as error:
        logger.warning("run=%d folder could not be removed: %s", run_id, error)
    for doomed in files.runs.glob(f"{DOOMED}*"):
        remove_tree(doomed)


def remove_tree(top: Path) -> None:
    """Remove a folder with its contents, as far as permissions allow; links are removed and not followed.

    Unlike shutil.rmtree, this removes folders that are a thousand levels deep or read-only.
    """
    waiting = [str(top)]
    emptied: list[str] = []
    while waiting:
        folder = waiting.pop()
        if len(folder) > LONG_PATH:
            folder = _moved_up(folder, top, len(emptied))
        emptied.append(folder)
        waiting.extend(_empty(folder))
    for folder in reversed(emptied):
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106 (strings: there may be very many)


def _moved_up(folder: str, top: Path, number: int) -> str:
    target = f"{top}/.moved-{number}"
    try:
        os.rename(folder, target)  # noqa: PTH104
    except OSError:
        return folder
    return target


def _empty(folder: str) -> Iterator[str]:
    """Remove the files in a folder, and yield its folders."""
    with suppress(OSError):
        os.chmod(folder, 0o700)  # noqa: PTH101 (a run may have made it read-only)
        with os.scandir(folder) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    yield entry.path
                else:
                    os.unlink(entry.path)  # noqa: PTH108
