"""What a series is called: its tag, and where its event file lies if that is not the main log folder.

The main folder is the one whose event file was opened first, as the time, process and count in the files'
names say; so it does not matter in which order a tail comes across them. Where names say nothing, it is the
folder nearest to the top, then the first by name. Folders are given below the working folder, which is "".

    folder                                tag           name
    MAIN                                  Loss/train    Loss/train
    MAIN/Loss_train_best (add_scalars)    Loss/train    Loss/train/best
    MAIN/eval                             Loss/train    eval/Loss/train
    MAIN/1795745478.92 (add_hparams)      final/loss    final/loss
"""

import re
from math import inf

OPENED = re.compile(r"tfevents\.(\d{1,15})(.*)", re.DOTALL)
TIMED = re.compile(r"\d{9,11}\.\d{1,9}")
"""How torch and tensorboardX name the folder of an `add_hparams`: by the time, so that it differs from run to run."""
SHOWN_CHARACTERS = 200
DIGITS = re.compile(r"(\d+)")

Natural = tuple[tuple[int, int, str], ...]


def natural(text: str) -> Natural:
    """Return a sort key by which "x.10" comes after "x.9"."""
    parts = DIGITS.split(text)
    return tuple((0, int(part), "") if place % 2 else (1, 0, part) for place, part in enumerate(parts))


def opening_order(path: str) -> tuple[float, Natural, int, Natural]:
    """Return a sort key for event files: those opened earlier come first."""
    folder, _, name = path.rpartition("/")
    opened = OPENED.search(name)
    depth = folder.count("/") + 1 if folder else 0
    if opened is None:
        return inf, (), depth, natural(path)
    return float(opened[1]), natural(opened[2]), depth, natural(path)


def series_name(main: str, folder: str, tag: str) -> str:
    """Return the name of the series `tag` of the event files in `folder`, where `main` is the main folder."""
    if folder == main or is_of_hparams(main, folder):
        return tag
    if main == "" or folder.startswith(f"{main}/"):
        below = folder[len(main) :].lstrip("/")
        group = tag.replace("/", "_") + "_"
        if below.startswith(group):
            return f"{tag}/{below.removeprefix(group)}"
    else:
        below = _beside(main, folder)
    return f"{below}/{tag}"


def is_of_hparams(main: str, folder: str) -> bool:
    """Return whether the folder is one that `add_hparams` makes below the main folder for its metrics."""
    if main and not folder.startswith(f"{main}/"):
        return False
    return TIMED.fullmatch(folder[len(main) :].lstrip("/")) is not None


def readable(path: str) -> str:
    """Return a path as text that can be encoded: bytes of a file name that are no UTF-8 become escapes."""
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def shown(path: str) -> str:
    """Return a path as a message has it: readable, and its middle left out where it is long."""
    text = readable(path)
    return (
        text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS // 4]}…{text[-SHOWN_CHARACTERS // 2 :]}"
    )


def _beside(main: str, folder: str) -> str:
    """Return `folder` from the nearest folder that holds both; "." for the working folder itself."""
    ours, theirs = main.split("/"), folder.split("/")
    shared = 0
    while shared < min(len(ours), len(theirs)) and ours[shared] == theirs[shared]:
        shared += 1
    return "/".join(theirs[shared:]) or folder or "."
