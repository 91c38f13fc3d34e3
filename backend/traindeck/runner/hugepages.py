"""Makes forks cheap: the memory that a fork shares is put into huge pages, of 2 MB and not of 4 kB.

What a fork costs is the copy of the page table, and torch's hundreds of megabytes are a hundred thousand entries of
it. MADV_COLLAPSE (madvise(2), Linux 6.1) moves memory that is there already. Elsewhere nothing happens.
"""

import ctypes
from collections.abc import Iterator
from pathlib import Path

MADV_COLLAPSE = 25
PIECE_BYTES = 16 << 20
"""What is moved at once, in 20 ms or so: an order that comes meanwhile waits as long."""
MAPS = Path("/proc/self/maps")
SIZE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")


def collapse() -> Iterator[int]:
    """Move this process's own memory into huge pages, piece by piece; gives the bytes of each that was moved.

    What the kernel cannot move stays as it is.
    """
    try:
        huge = int(SIZE.read_text())
        regions = list(_regions(MAPS.read_text()))
    except (OSError, ValueError):
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for begin, end in regions:
        for at, size in _pieces(begin, end, huge):
            if madvise(at, size, MADV_COLLAPSE) == 0:
                yield size


def _regions(maps: str) -> Iterator[tuple[int, int]]:
    """Memory that is private, written to, and of no file: the heap and what was mapped for objects."""
    for line in maps.splitlines():
        addresses, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights == "rw-p" and (not name or name[0] == "[heap]"):
            begin, end = addresses.split("-")
            yield int(begin, 16), int(end, 16)


def _pieces(begin: int, end: int, huge: int) -> Iterator[tuple[int, int]]:
    """Yield the whole huge pages between two addresses, many at once."""
    first, last = -(-begin // huge) * huge, end // huge * huge
    step = max(huge, PIECE_BYTES // huge * huge)
    for at in range(first, last, step):
        yield at, min(step, last - at)
