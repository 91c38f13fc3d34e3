"""Text of others on a terminal: it may say anything, but must not do anything there."""


def plain(text: object) -> str:
    r"""`text` on one line, with everything that a terminal would obey rather than show as an escape (`\x1b`).

    That is control characters (ANSI sequences begin with one), line breaks, and marks that turn the direction of
    writing (category Cf).
    """
    return "".join(one if one.isprintable() else _escaped(one) for one in str(text))


def plain_lines(text: str) -> str:
    """As `plain`, but line feeds stay."""
    return "\n".join(plain(line) for line in text.split("\n"))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode("ascii")
