"""Names of files that somebody sent: never used as paths before they were looked at here."""

import re
import unicodedata

MAX_CHARACTERS = 500
MAX_PART_BYTES = 200
MAX_DEPTH = 20
LEFT_OUT = frozenset({"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"})
ODD = re.compile(r"[^\w.+=@,\- ]")


class NotAName(ValueError):
    """A name that leads elsewhere, or that no file can have; the message says what is wrong."""


def checked_name(name: str) -> str:
    """A relative path as it was sent, joined by "/".

    Raises:
        NotAName: it is absolute, leads upwards, has an odd character, or is too long.
    """
    parts = name.removeprefix("./").split("/")
    if name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name):
        raise NotAName(f"{name[:200]!r} is no relative path with / between its parts")
    if not all(part and part not in (".", "..") for part in parts):
        raise NotAName(f"{name[:200]!r} leads out of the folder, or nowhere")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") for character in name):
        raise NotAName(f"{name[:200]!r} has characters that are no text")
    long = any(len(part.encode()) > MAX_PART_BYTES for part in parts)
    if long or len(name) > MAX_CHARACTERS or len(parts) > MAX_DEPTH:
        raise NotAName(f"{name[:200]!r} is too long, or too deep")
    return "/".join(parts)


def is_left_out(name: str) -> bool:
    """True for hidden files, and for what systems put beside files."""
    return any(part.startswith(".") or part in LEFT_OUT for part in name.removeprefix("./").split("/"))


def plain_name(name: str) -> str:
    """A name of our own for a single file, as near as is safe to the one that it was sent with."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = ODD.sub("_", unicodedata.normalize("NFC", last)).strip()
    if plain.startswith((".", "-")):
        plain = f"_{plain[1:]}"
    stem, dot, suffix = plain.rpartition(".")
    if len(plain.encode()) > MAX_PART_BYTES:
        plain = f"{stem[:40]}{dot}{suffix[-10:]}"
    return plain or "file"


def without_top_folder(names: list[str]) -> dict[str, str]:
    """Each name with its new one: without the folder that all lie in, unless that is a package to import."""
    tops = {name.partition("/")[0] for name in names}
    (top, *others) = tops or {""}
    if others or top in names or f"{top}/__init__.py" in names:
        return {name: name for name in names}
    return {name: name.partition("/")[2] for name in names}
