"""Find templates and static files: in the installed package, or in the checkout's `frontend/`."""

import hashlib
from functools import cache, lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

VERSION_LENGTH = 12
BUILT = "pages/stamp.sha256"
"""The file in the static folder that frontend/build.py writes last."""


@cache
def frontend_folder() -> Path:
    """Return the folder with `templates/` and `static/`. Raises FileNotFoundError if neither place has it."""
    for folder in (PACKAGE / "_share" / "frontend", PACKAGE.parents[1] / "frontend"):
        if (folder / "templates").is_dir():
            return folder
    raise FileNotFoundError("the pages' templates are missing. Install traindeck again")


def static_folder() -> Path:
    """Return the folder whose files are served below `/static/<version>/`."""
    return frontend_folder() / "static"


def static_version() -> str:
    """Return a hash over all static files, 12 hex digits, computed again after each build.

    It is part of the path and not of a query, so that files which name each other by relative address share it, and
    all can be cached forever.
    """
    return _version(_built_at())


def _built_at() -> int:
    try:
        return (static_folder() / BUILT).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=1)
def _version(built_at: int) -> str:  # noqa: ARG001 (the key of the cache: a build changes it)
    root = static_folder()
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:VERSION_LENGTH]


def static_url(name: str) -> str:
    """Return the address of a static file, such as `css/base.css`."""
    return f"/static/{static_version()}/{name}"
