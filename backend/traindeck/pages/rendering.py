"""Render templates, with text of users shown so that it cannot pretend to be other text.

Jinja escapes markup. Invisible characters remain: direction overrides, which make `gnp.exe` read as `exe.png`, and
control characters. They are shown by their code point. `static/js/visible.js` does the same in the browser.
"""

import re
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from traindeck.pages.resources import frontend_folder, static_url
from traindeck.wording import counted, plural

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


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
