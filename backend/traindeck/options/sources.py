"""Which files a script is made of, and whether a parser occurs in them: read, never run.

A script in which no parser occurs is not run for its options. Imports are followed into modules that lie in the
script's own folder, not into installed packages.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from traindeck import __version__
from traindeck.options.inspection import Target

MAX_FILES = 200
MAX_FILE_BYTES = 1_000_000
MAX_SETTINGS = 100
REMEMBERED_BYTES = 100_000

PARSE_CALLS = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"})
CLICK = frozenset({"click", "typer", "rich_click"})
ON_ARGPARSE = {
    "transformers": "HfArgumentParser",
    "trl": "TrlParser",
    "simple_parsing": "",
    "configargparse": "",
    "tap": "",
    "datargs": "",
}
"""Libraries that parse with argparse, each with the name that a script uses of it for that."""
NEVER_RUN = {"jsonargparse": "", "lightning": "LightningCLI", "pytorch_lightning": "LightningCLI", "tyro": ""}
"""Libraries whose parsers stand on argparse, and go their own way: a script with one is not run for its options."""
WITHOUT_FORM = ("absl", "fire", "hydra", "docopt", "gin", "sacred", "cyclopts", "tyro")
SETTINGS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")
"""Files beside a script that may hold the defaults of its options."""


@dataclass(slots=True)
class Sources:
    """The files of a script, by path with their SHA-256, and what was found in them."""

    files: dict[str, str] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    calls: int = 0
    found: bool = False
    argv: bool = False
    formless: set[str] = field(default_factory=set)
    problem: str = ""

    def reason(self) -> str:
        """Why the script need not be run for its options; "" where it has to be."""
        if self.problem or (self.found and not self.formless):
            return self.problem
        others = sorted(self.formless) or [name for name in WITHOUT_FORM if name in self.libraries]
        if others:
            return f"its options are declared with {others[0]}, which has no form here; argparse, click and Typer have"
        return "it has no parser of argparse, click or Typer"


def read_sources(target: Target) -> Sources:
    """Read the script and the modules of its own that it imports."""
    sources = Sources()
    root = target.path0 or Path("/nonexistent")
    entry = _module_file(root, target.module) if target.module else target.source or root / "script.py"
    if entry is None:
        sources.problem = f"there is no module {target.module} in its folder"
        return sources
    open_, seen = [entry], {entry}
    while open_ and len(sources.files) < MAX_FILES:
        path = open_.pop()
        facts = _read(path, sources, entry, target.content)
        if facts is None:
            continue
        sources.libraries |= facts.libraries
        sources.calls += facts.calls
        sources.found |= facts.found
        sources.argv |= facts.argv
        sources.formless |= facts.formless
        new = [one for level, name in facts.imports for one in _modules(root, path, level, name) if one not in seen]
        seen.update(new)
        open_ += new
    return sources


def content_digest(target: Target, sources: Sources) -> str:
    """What the options depend on: the sources, the settings beside them, the interpreter and its packages."""
    base = target.base or target.path0
    told = [
        __version__,
        *(f"{path}={digest}" for path, digest in sorted(sources.files.items())),
        *(sorted(_settings(base)) if base else []),
        str(target.module),
        str(target.file),
        str(target.base),
        str(target.python),
        *_packages(target.python),
    ]
    return hashlib.sha256("\n".join(told).encode(errors="surrogateescape")).hexdigest()


def _read(path: Path, sources: Sources, entry: Path, given: bytes | None) -> _Facts | None:
    try:
        content = given if path == entry and given is not None else _beginning(path)
        # The script itself may lie in another folder each time.
        name = "" if path == entry else os.path.relpath(path, entry.parent)
        sources.files[name] = hashlib.sha256(content).hexdigest()
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"it has more than {MAX_FILE_BYTES // 1_000_000} MB")
        return (_facts if len(content) <= REMEMBERED_BYTES else _facts.__wrapped__)(content, path == entry)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if path == entry:
            sources.problem = f"it cannot be read: {' '.join(str(error).split())}"
        return None


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What stands in one file: its imports by level and name, the libraries among them, its calls of parsers, whether
    it looks at its arguments by itself, and the libraries among its own whose parsers have no form."""

    imports: tuple[tuple[int, str], ...]
    libraries: frozenset[str]
    calls: int
    found: bool
    argv: bool
    formless: frozenset[str]


@lru_cache(maxsize=200)
def _facts(content: bytes, main: bool) -> _Facts:
    """The facts about a source; remembered, since the same script is launched many times."""
    imports: list[tuple[int, str]] = []
    names: set[str] = set()
    calls = 0
    for node in _nodes(ast.parse(content), main=main):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            own = node.module or ""
            imports += [(node.level, own), *((node.level, f"{own}.{alias.name}".strip(".")) for alias in node.names)]
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
            calls += node.attr in PARSE_CALLS
    libraries = frozenset(name.partition(".")[0] for level, name in imports if not level)
    on_argparse = any(_uses(libraries, names, ON_ARGPARSE))
    formless = frozenset(NEVER_RUN[name] or name for name in _uses(libraries, names, NEVER_RUN))  # fmt: skip
    found = bool(calls or on_argparse or libraries & CLICK)
    return _Facts(tuple(imports), libraries, calls, found, "argv" in names, formless)


def _uses(libraries: frozenset[str], names: set[str], table: Mapping[str, str]) -> Iterator[str]:
    """The libraries of a table that a source uses, each with the name by which it uses it, if one is given."""
    return (name for name, word in table.items() if name in libraries and (not word or word in names))


def _nodes(tree: ast.AST, *, main: bool) -> Iterator[ast.AST]:
    """Every node, without what a module does only where it is the main one and is not."""
    open_: list[ast.AST] = [tree]
    while open_:
        node = open_.pop()
        if not main and isinstance(node, ast.If) and "__main__" in ast.dump(node.test):
            continue
        yield node
        open_.extend(ast.iter_child_nodes(node))


def _modules(root: Path, path: Path, level: int, name: str) -> Iterator[Path]:
    """The files of the script's own that an import runs: a package is run when a module in it is imported."""
    folder = path.parents[level - 1] if 0 < level <= len(path.parents) else root
    if level and not name:
        yield from [one for one in [folder / "__init__.py"] if one.is_file()]
    parts = name.split(".") if name else []
    for count in range(1, len(parts) + 1):
        found = _module_file(folder, ".".join(parts[:count]), main=False)
        if found is not None:
            yield found


def _module_file(root: Path, module: str, *, main: bool = True) -> Path | None:
    """The file that `python -m module` runs, or that `import module` does where it is not `main`."""
    path = root.joinpath(*module.split("."))
    package = path / ("__main__.py" if main else "__init__.py")
    try:
        return next((one for one in (package, path.with_name(f"{path.name}.py")) if one.is_file()), None)
    except (OSError, ValueError):
        return None


def _settings(base: Path) -> Iterator[str]:
    try:
        found = [path for path in base.iterdir() if path.suffix in SETTINGS][:MAX_SETTINGS]
        for path in found:
            stat = path.stat()
            yield f"{path.name} {stat.st_size} {stat.st_mtime_ns}"
    except OSError:
        return


def _packages(python: str | None) -> Iterator[str]:
    """When something was last installed for an interpreter; the deck's own where none is named."""
    folders = [Path(sysconfig.get_path("purelib"))]
    if python is not None:
        folders = [Path(python), *sorted(Path(python).parent.parent.glob("lib/python*/site-packages"))]
    for folder in folders:
        try:
            yield f"{folder} {folder.stat().st_mtime_ns}"
        except OSError:
            continue
