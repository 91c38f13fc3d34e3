"""Where below a folder event files lie, and those noted beside it: real folders only, never through a link."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from traindeck.events.elsewhere import ELSEWHERE, followed

SETTLED_SECONDS = 2.0
"""A folder that changed just now is listed again: within a clock tick its time stamp does not move."""

Sizes = tuple[tuple[str, int], ...]
"""Name and bytes of each event file of one folder."""


@dataclass(frozen=True, slots=True)
class _Listing:
    modified_ns: int
    settled: bool
    subfolders: tuple[str, ...]
    event_files: tuple[str, ...]


class EventFolders:
    """The folders with event files below `root`; a scan lists only those that changed since the last."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listings: dict[str, _Listing] = {}

    def scan(self) -> dict[str, Sizes]:
        """Each folder with event files, relative to the root ("." for itself), and the sizes of its files."""
        found: dict[str, Sizes] = {}
        listings: dict[str, _Listing] = {}
        waiting = [ELSEWHERE, ""]
        while waiting:
            relative = waiting.pop()
            listing = self._listing(relative)
            if listing is None:
                continue
            listings[relative] = listing
            # In TensorBoard's order: the HParams tab takes what it shows from the first run.
            waiting += (f"{relative}/{name}" if relative else name for name in reversed(listing.subfolders))
            sizes = tuple(self._sizes(relative, listing.event_files))
            if sizes:
                found[relative or "."] = sizes
        self._listings = listings
        return found

    def _listing(self, relative: str) -> _Listing | None:
        # Text, not a Path: there may be a thousand folders.
        path = f"{self.root}/{relative}" if relative else str(self.root)
        try:
            modified_ns = os.stat(path).st_mtime_ns  # noqa: PTH116
            known = self._listings.get(relative)
            if known is not None and known.settled and known.modified_ns == modified_ns:
                return known
            return _list(path, modified_ns, follow=relative.startswith(ELSEWHERE))
        except OSError:
            # Gone, or not ours to read: it has no event files then, and may have some at the next scan.
            return None

    def _sizes(self, relative: str, names: tuple[str, ...]) -> Iterator[tuple[str, int]]:
        for name in names:
            try:
                status = os.lstat(followed(f"{self.root}/{relative}/{name}"))
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield name, status.st_size


def _list(path: str, modified_ns: int, *, follow: bool) -> _Listing:
    settled = time.time() - modified_ns / 1e9 > SETTLED_SECONDS
    subfolders, event_files = [], []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                subfolders.append(entry.name)
            elif "tfevents" in entry.name and (
                entry.is_file(follow_symlinks=False) or (follow and followed(entry.path) != entry.path)
            ):
                event_files.append(entry.name)
    return _Listing(modified_ns, settled, tuple(subfolders), tuple(sorted(event_files)))
