"""Where templates and static files lie: in the installed package, or in the checkout's `frontend/`."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

VERSION_LENGTH = 12


def frontend_folder() -> Path:
    """The folder with `templates/` and `static/`. Raises FileNotFoundError where neither place has one."""
    for folder in (PACKAGE / "_share" / "frontend", PACKAGE.parents[1] / "frontend"):
        if (folder / "templates").is_dir():
            return folder
    raise FileNotFoundError("the pages' templates are missing: install traindeck again")


def static_folder() -> Path:
    """The folder whose files are served below `/static/<version>/`."""
    return frontend_folder() / "static"


@cache
def static_version() -> str:
    """A hash over every static file, 12 hex digits; computed once for each process.

    It stands in the path, not in a query, so that modules which import each other by relative address share
    it, and all of them may be cached for good.
    """
    root = static_folder()
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:VERSION_LENGTH]


def static_url(name: str) -> str:
    """The address of a static file, such as `css/base.css`."""
    return f"/static/{static_version()}/{name}"
