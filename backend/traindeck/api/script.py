"""Turns what somebody posted as a script into a program that can be started, or says what is wrong with it."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from traindeck.api.bodies import ScriptBody
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runner.copying import is_of_kernel
from traindeck.runner.program import START, Program
from traindeck.sources.store import CodeStore
from traindeck.sources.tree import CodeTree
from traindeck.sources.uploads import tree_to_run

MAX_SCRIPT_BYTES = 10_000_000
OF_KERNEL = "lies in /proc, /sys or /dev, or is made up by the kernel as it is read: copy it to a folder of your own"


def read_script(body: ScriptBody, code: CodeStore) -> tuple[Program, CodeTree | None]:
    """The program that `body` asks for, with absolute paths, and its code, which is kept on return.

    Raises:
        InvalidRequest: something of it is not there, or cannot be read; every such field is named.
    """
    program, tree = locate_script(body, code)
    return program, tree or _code(program, body, code)


def locate_script(body: ScriptBody, code: CodeStore) -> tuple[Program, CodeTree | None]:
    """The program that `body` asks for, with absolute paths, and the tree of an upload; nothing more of it is kept.

    Raises:
        InvalidRequest: something of it is not there, or cannot be read; every such field is named.
    """
    refusals = _Refusals()
    cwd = refusals.folder("cwd", body.cwd)
    given = {name: getattr(body, name) for name in START}
    start = {**given, "args": tuple(body.args), "cwd": cwd, "python": refusals.interpreter(body.python)}
    tree = None
    if body.source is not None:
        filename = refusals.plain_filename("script.py" if body.filename is None else body.filename)
        program = Program(filename, "source", **start)
    elif body.upload is not None:
        tree = tree_to_run(code.uploads.find(body.upload), body.entry)
        program = Program(tree.entry or "", "upload", **start)
    elif body.module is not None:
        program = Program(body.module, "module", module=body.module, **start)
    elif body.command is not None:
        refusals.program(body.command[0], cwd)
        name = os.path.basename(body.command[0])  # noqa: PTH119 (as it was written)
        program = Program(name, "command", command=tuple(body.command), **start)
    else:
        path = refusals.file("path", _absolute(body.path or ""))
        program = Program(path.name, path=str(path), **{**start, "cwd": cwd or str(path.parent)})
    refusals.raise_any()
    return program, tree


def _code(program: Program, body: ScriptBody, code: CodeStore) -> CodeTree | None:
    """The project as it is now; what is launched afterwards is this, whatever becomes of it on disk."""
    if body.source is not None:
        return code.sent(program.filename, body.source.encode())
    try:
        return code.snapshots.take(program)
    except OSError as error:
        if error.filename is None or not str(error.filename).startswith(str(Path(program.path or "/").parent)):
            raise
        problem = f"script.path {program.path!r} cannot be read: {error.strerror}"
        raise InvalidRequest([FieldError("script.path", problem)]) from error


class _Refusals:
    """Looks at each thing that a script names, and collects what is wrong with any."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def raise_any(self) -> None:
        """Raise InvalidRequest where something was wrong."""
        if self.errors:
            raise InvalidRequest(self.errors)

    def refuse(self, field: str, value: object, problem: str) -> None:
        """Note that a field of the script is wrong."""
        self.errors.append(FieldError(f"script.{field}", f"script.{field} {str(value)!r} {problem}"))

    def file(self, field: str, path: Path) -> Path:
        """The path of a file that can be read."""
        problem = _file_problem(path)
        if problem:
            self.refuse(field, path, problem)
        return path

    def folder(self, field: str, given: str | None) -> str | None:
        """The absolute path of a folder that was given."""
        if given is None:
            return None
        path = _absolute(given)
        if not _is(path, Path.is_dir):
            self.refuse(field, path, "is no folder on the server's machine")
        elif is_of_kernel(path):
            self.refuse(field, path, OF_KERNEL)
        return str(path)

    def interpreter(self, given: str | None) -> str | None:
        """The path of an interpreter; the folder of a virtual environment stands for the one in it."""
        if given is None:
            return None
        path = _absolute(given)
        if _is(path, Path.is_dir):
            path = path / "bin" / "python"
        if not _is(path, Path.is_file) or not os.access(path, os.X_OK):
            self.refuse("python", path, "is no Python interpreter on the server's machine")
        return str(path)

    def program(self, name: str, cwd: str | None) -> None:
        """The program of a command: on the PATH, or a file, also below `cwd`."""
        where = os.path.join(cwd or "/", os.path.expanduser(name)) if "/" in name else name  # noqa: PTH111, PTH118
        # The deck's environment is on the PATH of a command, activated or not.
        found = name and (shutil.which(where) or shutil.which(where, path=os.path.dirname(sys.executable)))  # noqa: PTH120
        if not found:
            hint = "is not on the server's PATH" if "/" not in name else "is no program on the server's machine"
            self.errors.append(FieldError("script.command", f"script.command: {name!r} {hint}"))

    def plain_filename(self, name: str) -> str:
        """A file name without a folder."""
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
