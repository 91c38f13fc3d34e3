"""The front end: whether everything that the pages name is there."""

import re
from pathlib import Path

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.pages.resources import frontend_folder

PART = re.compile(r"vendor/[\w./-]+\.(?:js|css|woff2)")
BUNDLE = re.compile(r'set bundle = "(\w+)"')
PAGES = ("templates/**/*.html", "static/js/**/*.js", "static/css/**/*.css")
ADVICE = "Install traindeck again; in a checkout: python frontend/build.py"


def check_frontend() -> Finding:
    """Whether the pages would find all their parts."""
    try:
        folder = frontend_folder()
    except FileNotFoundError as error:
        return wrong("front end", str(error), ADVICE)
    parts = named_parts(folder)
    missing = sorted(part for part in parts if not (folder / "static" / part).is_file())
    if missing:
        return wrong("front end", f"{', '.join(missing)} missing in {folder / 'static'}", ADVICE)
    return good("front end", f"{len(parts)} parts in {folder / 'static'}")


def named_parts(folder: Path) -> set[str]:
    """Return the built parts, such as `vendor/htmx.js` and `pages/run.css`, that templates, scripts and styles name."""
    paths = (page for pattern in PAGES for page in folder.glob(pattern) if page.is_file())
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
    bundles = {name for text in texts for name in BUNDLE.findall(text)}
    parts = {part for text in texts for part in PART.findall(text)}
    return parts | {f"pages/{name}.{kind}" for name in bundles for kind in ("js", "css")}
