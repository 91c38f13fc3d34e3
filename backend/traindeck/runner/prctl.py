"""The few process attributes that Python has no name for; see prctl(2). They do nothing elsewhere than on Linux."""

import ctypes
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


def signal_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent ends, or the parent's thread that started it."""
    _prctl(PR_SET_PDEATHSIG, signal_number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def set_name(name: str) -> None:
    """The name that `ps` and `top` show; at most 15 bytes are kept."""
    if sys.platform == "linux":
        buffer = ctypes.create_string_buffer(name.encode()[:15])
        ctypes.CDLL(None).prctl(PR_SET_NAME, buffer, 0, 0, 0)


def flush_c_streams() -> None:
    """Write what C code has printed and not flushed: `os._exit` would lose it."""
    ctypes.CDLL(None).fflush(None)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
