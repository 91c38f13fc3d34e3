"""MD5 sums, which is what the publishers of these data sets give."""

import hashlib
from pathlib import Path


def md5_of(path: Path) -> str:
    """The MD5 sum of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def has_md5(path: Path, md5: str) -> bool:
    """Whether `path` is a file with that sum."""
    return path.is_file() and md5_of(path) == md5
