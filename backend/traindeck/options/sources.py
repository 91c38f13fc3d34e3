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
from dataclasses import dataclass, replace
from pathlib import Path

from traindeck import __version__
from traindeck.options.inspection import Sources, Target
from traindeck.sources.reads import Reads, Source

MAX_FILES = 200
MAX_FILE_BYTES = 1_000_000
MAX_SETTINGS = 100
MAX_READ_BYTES = 10_000_000
"""A larger script is refused before it comes here."""
MAX_KNOWN = 1000

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
SETTINGS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")
"""Files beside a script that may hold the defaults of its options."""


def read_sources(target: Target, reads: Reads | None = None) -> Sources:
    """Read the script and the modules of its own that it imports; what `reads` has already is not read again."""
    sources = Sources()
    reads = reads or Reads()
    root = target.path0 or Path("/nonexistent")
    module = target.program.module
    entry = _module_file(root, module) if module else target.source or root / "script.py"
    if entry is None:
        sources.problem = f"there is no module {module} in its folder"
    else:
        _follow(sources, target, root, entry, reads)
    sources.digest = _digest(target, sources)
    return sources


def sources_of(target: Target) -> Sources:
    """Return what was read of the script already, or read it."""
    return target.sources or read_sources(target)


def with_sources(target: Target, reads: Reads | None = None) -> Target:
    """Return the target with what was read of it, so that it is read once however often it is asked about."""
    return replace(target, sources=read_sources(target, reads))


def _follow(sources: Sources, target: Target, root: Path, entry: Path, reads: Reads) -> None:
    open_, seen = [entry], {entry}
    while open_ and len(sources.files) < MAX_FILES:
        path = open_.pop()
        facts = _read(path, sources, entry, target.content, reads)
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


def _digest(target: Target, sources: Sources) -> str:
    """Return the digest of what the options depend on: sources, settings beside them, interpreter and its packages."""
    program, base = target.program, target.base or target.path0
    told = [
        __version__,
        *(f"{path}={digest}" for path, digest in sorted(sources.files.items())),
        *(sorted(_settings(base)) if base else []),
        str(program.module),
        str(target.file),
        str(target.base),
        str(program.python),
        *_packages(program.python),
    ]
    return hashlib.sha256("\n".join(told).encode(errors="surrogateescape")).hexdigest()


def _read(path: Path, sources: Sources, entry: Path, given: bytes | None, reads: Reads) -> _Facts | None:
    try:
        read = given is None or path != entry
        source = reads.read(str(path), MAX_READ_BYTES)[0] if read else Source(given or b"")
        # The script itself may lie in another folder each time.
        name = "" if path == entry else os.path.relpath(path, entry.parent)
        sources.files[name] = source.sha256
        if len(source.content) > MAX_FILE_BYTES:
            raise ValueError(f"it has more than {MAX_FILE_BYTES // 1_000_000} MB")
        return _facts_of(source, main=path == entry)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if path == entry:
            sources.problem = f"it cannot be read: {' '.join(str(error).split())}"
        return None


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


_known: dict[tuple[str, bool], _Facts] = {}


def _facts_of(source: Source, *, main: bool) -> _Facts:
    """The facts about a source; remembered, since the same script is launched many times."""
    key = (source.sha256, main)
    facts = _known.get(key)
    if facts is None:
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        facts = _known[key] = _facts(source.tree, main)
        source.drop_tree()
    return facts


def _facts(tree: ast.Module, main: bool) -> _Facts:
    imports: list[tuple[int, str]] = []
    names: set[str] = set()
    calls = 0
    for node in _nodes(tree, main=main):
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
            continue  # This Python has no such folder.
