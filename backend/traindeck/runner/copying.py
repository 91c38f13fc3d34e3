"""Copies files that a user has named: at most the bytes that they had at first, holes as holes.

A file may grow while it is copied, be mostly holes, or be no file at all: a path may lead to a pipe, to a device, or to
what the kernel makes up as it is read. Some of that has no end.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable

BLOCK_BYTES = 4 * 1024 * 1024
KERNEL_FOLDERS = ("/proc", "/sys", "/dev")
KERNEL_TYPES = frozenset({
    # f_type of statfs(2): what is mounted somewhere else than in the folders above is still the kernel's.
    0x9FA0,  # proc
    0x62656572,  # sysfs
    0x1CD1,  # devpts
    0x27E0EB,  # cgroup
    0x63677270,  # cgroup2
    0x64626720,  # debugfs
    0x74726163,  # tracefs
    0x73636673,  # securityfs
    0xF97CFF8C,  # selinuxfs
    0x62656570,  # configfs
    0x65735543,  # fusectl
    0x42494E4D,  # binfmt_misc
    0xCAFE4A11,  # bpf
    0xDE5E81E4,  # efivarfs
    0x6165676C,  # pstore
    0x19800202,  # mqueue
    0x6E736673,  # nsfs
    0x67596969,  # rpc_pipefs
})  # fmt: skip
STATFS_BYTES = 1024
_KERNEL_DEVICES: dict[int, bool] = {}


def is_of_kernel(path: str | os.PathLike[str]) -> bool:
    """Return True for a path in or through /proc, /sys or /dev, or on a file system that the kernel makes up."""
    given = os.path.abspath(path)  # noqa: PTH100 (links stay)
    try:
        where = os.path.realpath(given)
    except ValueError:
        return False
    for folder in KERNEL_FOLDERS:
        if any(f"{one}/".startswith(f"{folder}/") for one in (given, where)):
            return True
    return _file_system(where) in KERNEL_TYPES


def is_on_kernel_device(device: int, path: str) -> bool:
    """Return what `is_of_kernel` says of `path`, remembered by the number (st_dev) of its file system."""
    known = _KERNEL_DEVICES.get(device)
    if known is None:
        known = _KERNEL_DEVICES[device] = is_of_kernel(path)
    return known


def open_regular(path: str | os.PathLike[str], *, dir_fd: int | None = None, follow: bool = True) -> int:
    """Open a regular file for reading, without waiting for anybody; its descriptor.

    Raises:
        OSError: there is none, or it is a pipe, a device or a folder, or (without `follow`) a link.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags, dir_fd=dir_fd)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a file", os.fspath(path))
    return descriptor


def copy_file(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Copy a regular file to `target`, which is made, or written over.

    Raises:
        OSError: the disk is full, or there is no file that can be read; then nothing is left at the target.
    """
    reading = open_regular(source)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            copy_data(reading, writing, os.fstat(reading).st_size)
        except OSError:
            os.unlink(target)  # noqa: PTH108
            raise
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def copy_data(source: int, target: int, size: int, spend: Callable[[int], None] | None = None) -> int:
    """Copy what an open file has in its first `size` bytes into a new one; the size that it then has.

    `spend` is called with the number of bytes before each block is written, and raises where that is too many.

    Raises:
        OSError: the disk is full, or the file cannot be read.
    """
    at = 0
    while (at := _data_after(source, at, size)) < size:
        end = min(_hole_after(source, at, size), size)
        while at < end:
            block = os.pread(source, min(BLOCK_BYTES, end - at), at)
            if not block:
                # It was made shorter meanwhile.
                size = end = at
                break
            if spend is not None:
                spend(len(block))
            _write(target, block, at)
            at += len(block)
    size = min(size, os.fstat(source).st_size)
    os.ftruncate(target, size)
    return size


def free_bytes(folder: str | os.PathLike[str], reserve: int) -> int:
    """Return how much may be written to the disk of a folder so that `reserve` bytes stay free."""
    disk = os.statvfs(folder)
    return max(disk.f_bavail * disk.f_frsize - reserve, 0)


def _write(target: int, block: bytes, at: int) -> None:
    view = memoryview(block)
    while view:
        written = os.pwrite(target, view, at)
        view, at = view[written:], at + written


def _data_after(source: int, at: int, size: int) -> int:
    try:
        return os.lseek(source, at, os.SEEK_DATA)
    except OSError as error:
        # Nothing but a hole; or a file system that knows of none.
        return size if error.errno == errno.ENXIO else at
    except AttributeError:
        return at


def _hole_after(source: int, at: int, size: int) -> int:
    try:
        # What does not lie after data is no answer.
        return max(os.lseek(source, at, os.SEEK_HOLE), at + 1)
    except (OSError, AttributeError):
        return size


def _file_system(path: str) -> int:
    """Return the type of the file system that a path lies on; 0 where it is not known."""
    if sys.platform != "linux":
        return 0
    buffer = ctypes.create_string_buffer(STATFS_BYTES)
    if ctypes.CDLL(None).statfs(os.fsencode(path), buffer):
        return 0
    return ctypes.c_ulong.from_buffer(buffer).value & 0xFFFFFFFF
