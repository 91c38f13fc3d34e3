"""Find the script that a request names, report what is wrong with it, and keep its code."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from traindeck.errors import FieldError, InvalidRequest
from traindeck.launches.requests import ScriptBody
from traindeck.options.inspection import Target
from traindeck.options.sources import with_sources
from traindeck.runner.copying import is_of_kernel
from traindeck.runner.program import START, Program
from traindeck.sources.codestore import CodeStore
from traindeck.sources.reads import Reads
from traindeck.sources.tree import CodeTree
from traindeck.sources.uploadstore import tree_to_run

MAX_SCRIPT_BYTES = 10_000_000
OF_KERNEL = "lies in /proc, /sys or /dev, or is made up by the kernel as it is read: copy it to a folder of your own"


@dataclass(frozen=True, slots=True)
class Located:
    """An existing script.

    Attributes:
        program: The program to start, with absolute paths.
        target: The script to inspect for options; None for a command.
        code: Its kept files.
    """

    program: Program
    target: Target | None
    code: CodeTree | None = None


def locate(body: ScriptBody, code: CodeStore) -> Located:
    """Return the script that `body` names, without storing anything.

    Raises:
        InvalidRequest: parts of it do not exist, or cannot be read; every such field is named.
    """
    refusals = _Refusals()
    given = {name: getattr(body, name) for name in START}
    cwd, python = refusals.folder("cwd", body.cwd), refusals.interpreter(body.python)
    asked = Program(**{**given, "args": tuple(body.args), "cwd": cwd, "python": python})
    found = _located(asked, body, code, refusals)
    refusals.raise_any()
    return found


def _located(asked: Program, body: ScriptBody, code: CodeStore, refusals: "_Refusals") -> Located:
    if body.source is not None:
        filename = refusals.plain_filename("script.py" if body.filename is None else body.filename)
        program = replace(asked, filename=filename, kind="source")
        return Located(program, Target(program, content=body.source.encode(), file=filename))
    if body.upload is not None:
        tree = tree_to_run(code.uploads.find(body.upload), body.entry)
        folder = code.uploads.folder / body.upload
        source = folder / (tree.entry or "")
        program = replace(asked, filename=tree.entry or "", kind="upload")
        where = replace(program, cwd=program.cwd or str(folder))
        return Located(program, Target(where, path0=source.parent, source=source), tree)
    if body.module is not None:
        program = replace(asked, filename=body.module, kind="module", module=body.module)
        return Located(program, Target(program, path0=Path(asked.cwd or "")))
    if body.command is not None:
        refusals.program(body.command[0], asked.cwd)
        name = os.path.basename(body.command[0])  # noqa: PTH119 (as it was written)
        return Located(replace(asked, filename=name, kind="command", command=tuple(body.command)), None)
    path = refusals.file("path", _absolute(body.path or ""))
    program = replace(asked, filename=path.name, path=str(path), cwd=asked.cwd or str(path.parent))
    return Located(program, Target(program, path0=path.parent, source=path, file=str(path)))


def locate_kept(program: Program, code: CodeTree | None, run_folder: Path) -> Located:
    """Return the script of an earlier run, with the code that was kept in `run_folder`."""
    if program.kind == "command" or code is None:
        return Located(program, None, code)
    folder = run_folder / "code"
    if program.kind == "module":
        return Located(program, Target(program, path0=folder), code)
    source = folder / (code.entry or program.filename)
    return Located(program, Target(program, path0=source.parent, source=source, file=program.path or str(source)), code)


def keep(located: Located, code: CodeStore) -> Located:
    """Keep the present code of a script. The run starts from it, even if the script changes on disk afterwards.

    Each file is read once, so that the checks apply to the kept code.

    Raises:
        InvalidRequest: it cannot be read.
    """
    program, target, reads = located.program, located.target, Reads()
    tree = located.code or _taken(located, code, reads)
    if target is None:
        return replace(located, code=tree)
    target = with_sources(target, reads)
    entry = tree.find(tree.entry) if tree and tree.entry and program.path else None
    if entry is not None:
        target = replace(target, source=code.blobs.path(entry.sha256))
    return Located(program, target, tree)


def _taken(located: Located, code: CodeStore, reads: Reads) -> CodeTree | None:
    program, target = located.program, located.target
    if target is not None and target.content is not None:
        return code.sent(program.filename, target.content)
    try:
        return code.snapshots.take(program, reads)
    except OSError as error:
        if error.filename is None or not str(error.filename).startswith(str(Path(program.path or "/").parent)):
            raise
        problem = f"script.path {program.path!r} cannot be read: {error.strerror}"
        raise InvalidRequest([FieldError("script.path", problem)]) from error


class _Refusals:
    """Checks what a script names, and collects the errors."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def raise_any(self) -> None:
        """Raise InvalidRequest if there was an error."""
        if self.errors:
            raise InvalidRequest(self.errors)

    def refuse(self, field: str, value: object, problem: str) -> None:
        """Add an error of a field of the script."""
        self.errors.append(FieldError(f"script.{field}", f"script.{field} {str(value)!r} {problem}"))

    def file(self, field: str, path: Path) -> Path:
        """Return the path, which must be a readable file."""
        problem = _file_problem(path)
        if problem:
            self.refuse(field, path, problem)
        return path

    def folder(self, field: str, given: str | None) -> str | None:
        """Return the absolute path of a given folder."""
        if given is None:
            return None
        path = _absolute(given)
        if not _is(path, Path.is_dir):
            self.refuse(field, path, "is no folder on the server's machine")
        elif is_of_kernel(path):
            self.refuse(field, path, OF_KERNEL)
        return str(path)

    def interpreter(self, given: str | None) -> str | None:
        """Return the path of an interpreter, which may be given by the folder of its virtual environment."""
        if given is None:
            return None
        path = _absolute(given)
        if _is(path, Path.is_dir):
            path = path / "bin" / "python"
        if not _is(path, Path.is_file) or not os.access(path, os.X_OK):
            self.refuse("python", path, "is no Python interpreter on the server's machine")
        return str(path)

    def program(self, name: str, cwd: str | None) -> None:
        """Check that the program of a command is on the PATH, or a file, also below `cwd`."""
        where = os.path.join(cwd or "/", os.path.expanduser(name)) if "/" in name else name  # noqa: PTH111, PTH118
        # The deck's environment is on the PATH of a command, activated or not.
        found = name and (shutil.which(where) or shutil.which(where, path=os.path.dirname(sys.executable)))  # noqa: PTH120
        if not found:
            hint = "is not on the server's PATH" if "/" not in name else "is no program on the server's machine"
            self.errors.append(FieldError("script.command", f"script.command: {name!r} {hint}"))

    def plain_filename(self, name: str) -> str:
        """Return a file name, which must have no folder."""
        plain = name and name == Path(name).name and not name.startswith((".", "-")) and "\\" not in name
        if not plain or not name.isprintable():
            self.refuse("filename", name, "must be a plain file name such as train.py")
        return name


def _absolute(given: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(given)))  # noqa: PTH100, PTH111 (no error, links stay)


def _is(path: Path, kind: Callable[[Path], bool]) -> bool:
    try:
        return kind(path)
    except (OSError, ValueError):
        return False


def _file_problem(path: Path) -> str | None:
    try:
        if not path.exists():
            return "does not exist on the server's machine"
        if not path.is_file():
            return "is not a file"
        if is_of_kernel(path):
            return OF_KERNEL
        if path.stat().st_size > MAX_SCRIPT_BYTES:
            return f"is larger than {MAX_SCRIPT_BYTES // 1_000_000} MB"
        if not os.access(path, os.R_OK):
            return "may not be read by the deck"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"
    return None
