"""Event files that a run has made outside of its working folder, as its process has noted them.

They stand in a folder beside the working folder, by the folders that they lie in: as hard links, or as symbolic ones
where the file system is another. runner/writers.py makes them. A symbolic one is only followed to the file that its own
place names.

    events-elsewhere/absolute/data/exp/NAME    /data/exp/NAME
    events-elsewhere/beside/logs/NAME          ../logs/NAME, from the working folder
    events-elsewhere/remote/NUMBER             what its target says: an address, which cannot be read from here
"""

import os
from pathlib import Path

ELSEWHERE = "../events-elsewhere"
"""From the working folder."""
ABSOLUTE, BESIDE = f"{ELSEWHERE}/absolute", f"{ELSEWHERE}/beside"
MARK = ABSOLUTE.removeprefix("..")
LOOKED_AT_LIMIT = 1000


def original(path: str) -> str:
    """Return where a file or folder lies for its script, given its path from the working folder."""
    if path.startswith(f"{ABSOLUTE}/"):
        return path.removeprefix(ABSOLUTE)
    return f"..{path.removeprefix(BESIDE)}" if path.startswith(f"{BESIDE}/") else path


def run_name(path: str) -> str:
    """Return what TensorBoard calls a folder, given its path from the working folder."""
    lies = original(path)
    return path if lies == path and not path.startswith("/") else lies.removeprefix("..").lstrip("/")


def followed(path: str) -> str:
    """Return the file that a noted event file is; any other path as it is."""
    at = path.find(f"{MARK}/")
    if at < 0:
        return path
    target = path[at + len(MARK) :]
    try:
        return target if os.readlink(path) == target else path  # noqa: PTH115 (text: it is asked often)
    except OSError:
        return path


def unreadable_folders(work: Path, limit: int) -> list[str]:
    """Return at most `limit` folders, or addresses, of event files that were noted and cannot be read."""
    found: dict[str, None] = {}
    looked_at = 0
    for folder, _, names in os.walk(work.with_name(Path(ELSEWHERE).name)):
        for name in sorted(names):
            looked_at += 1
            path = Path(folder, name)
            if path.is_symlink() and not os.access(followed(str(path)), os.R_OK):
                # Text: a Path would make one slash of two, and spoil an address.
                found[os.readlink(path).rpartition("/")[0]] = None  # noqa: PTH115
            if len(found) >= limit or looked_at >= LOOKED_AT_LIMIT:
                return list(found)
    return list(found)
