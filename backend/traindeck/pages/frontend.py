"""Find the templates and static files of the front end, and render pages.

Jinja escapes markup. Invisible characters remain: direction overrides, which make `gnp.exe` read as `exe.png`, and
control characters. They are shown by their code point. `static/js/visible.js` does the same in the browser.
"""

import hashlib
import re
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from traindeck.wording import counted, plural

PACKAGE = Path(__file__).resolve().parents[1]

VERSION_LENGTH = 12
BUILT = "pages/stamp.sha256"
"""The file in the static folder that frontend/build.py writes last."""
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


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


class Exact(str):
    """Text to show unchanged, such as the value of an input."""


def show_hidden(value: object) -> object:
    """Return `value` with hidden characters as `[U+202E]`, if it is text and neither markup nor `Exact`."""
    if not isinstance(value, str) or isinstance(value, (Markup, Exact)):
        return value
    # A page has thousands of texts, and nearly all are printable; no hidden character is.
    if value.isprintable():
        return value
    return HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)


@cache
def environment() -> Environment:
    """Return the environment that escapes everything, shows hidden characters and refuses unknown names."""
    made = Environment(
        loader=FileSystemLoader(frontend_folder() / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=show_hidden,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static_url"] = static_url
    made.filters["exact"] = Exact
    made.filters["counted"] = counted
    made.filters["plural"] = plural
    return made


def render(template: str, page: object) -> str:
    """Return the HTML of `template` for `page`, its context."""
    return environment().get_template(template).render(page=page)
