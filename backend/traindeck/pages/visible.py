"""Text of strangers, shown so that it cannot pretend to be other text.

Escaping keeps markup out. What is left are characters that one does not see: direction overrides, which make
`gnp.exe` read as `exe.png`, and control characters. They are shown by their code point. The twin of this module is
`static/js/visible.js`.
"""

import re

from markupsafe import Markup

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


class Exact(str):
    """Text that must reach the page as it is, such as the value of an input."""


def visible(value: object) -> object:
    """`value` with hidden characters as `[U+202E]`, if it is text that is neither markup nor `Exact`."""
    if not isinstance(value, str) or isinstance(value, (Markup, Exact)):
        return value
    # No hidden character is printable, and nearly all text is: a page has thousands of texts.
    if value.isprintable():
        return value
    return HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
