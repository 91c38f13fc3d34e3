"""Makes event files fresh and known: what `SummaryWriter` does differently in a run.

It flushes every second where the script chose no interval. And an event file that it makes outside of the working
folder gets a second name, a hard link, in the attempt's folder: so the deck finds it, tells it from the files that
other runs write to the same folder, and keeps it when the script's own is deleted.

Also read by interpreters other than the deck's: see hook/sitecustomize.py. So it needs nothing but Python 3.8.
"""

# ruff: noqa: PTH103, PTH118, PTH119, PTH120

from __future__ import annotations

import contextlib
import os
import sys
import zlib
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MODULES = ("torch.utils.tensorboard.writer", "tensorboardX.writer")
"""Both have a `SummaryWriter`, of which Lightning's and Hugging Face's loggers are users, and wait for 120 s."""
FLUSH_SECONDS = 1
MAKERS = (
    ("tensorboard.summary.writer.event_file_writer", "EventFileWriter", "_general_file_writer"),
    ("tensorboardX.event_file_writer", "EventsWriter", "_py_recordio_writer"),
)
"""Modules, their classes that make event files, and what one of these has as soon as it knows its file's name."""

ELSEWHERE = "events-elsewhere"
"""Beside the working folder: the event files that the run has made outside of it, by the folders that they lie in."""
ABSOLUTE, BESIDE, REMOTE = "absolute", "beside", "remote"
"""Below that: files anywhere on the machine, files in the attempt's folder (`../logs`), files at addresses."""


def flush_often() -> None:
    """Change the default of `SummaryWriter(flush_secs=…)`, now or when a writer is imported."""
    for name in MODULES:
        change_module(name, lambda module: change_default(module.SummaryWriter))


def link_event_files(attempt: str) -> None:
    """Have the folder of an attempt know each event file that this process makes outside of the working folder."""
    for name, class_name, attribute in MAKERS:
        change_module(name, lambda module, class_name=class_name, attribute=attribute: _link_each(  # type: ignore[misc]
            getattr(module, class_name), attribute, attempt
        ))  # fmt: skip


def _link_each(maker: Any, attribute: str, attempt: str) -> None:
    setattr(maker, attribute, _Linking(attribute, attempt))


class _Linking:
    """An attribute of objects with a `_file_name`, which is noted when the attribute is set.

    A wrapped method would add a frame to the tracebacks of its errors. Without `__get__`, reading the attribute costs
    what it always did.
    """

    def __init__(self, attribute: str, attempt: str) -> None:
        self.attribute, self.attempt = attribute, attempt

    def __set__(self, writer: Any, value: Any) -> None:
        writer.__dict__[self.attribute] = value
        # Whatever fails here must not stop the script.
        with contextlib.suppress(Exception):
            link_event_file(self.attempt, os.fsdecode(writer._file_name))

    def __delete__(self, writer: Any) -> None:
        writer.__dict__.pop(self.attribute, None)


def link_event_file(attempt: str, file: str) -> None:
    """Give an event file outside of the working folder a second name in the attempt's folder.

    A hard link, or, where there can be none, such as on another file system, a symbolic one.

    Raises:
        OSError: neither can be made.
    """
    top = os.path.join(os.path.realpath(attempt), "")
    noted = os.path.join(top, ELSEWHERE)
    if "://" in file:
        _link(os.symlink, file, os.path.join(noted, REMOTE), "%08x.tfevents" % zlib.crc32(os.fsencode(file)))  # noqa: UP031 (3.8)
        return
    folder, name = os.path.realpath(os.path.dirname(file)), os.path.basename(file)
    inside = os.path.join(folder, "").startswith(top) and folder[len(top) :]
    if inside and inside.partition(os.sep)[0] in ("work", ELSEWHERE):
        return
    source = os.path.join(folder, name)
    # tensorboard makes the file with its first record, which is a moment later.
    os.close(os.open(source, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666))
    place = os.path.join(noted, BESIDE, inside) if inside else os.path.join(noted, ABSOLUTE, folder.lstrip(os.sep))
    try:
        _link(os.link, source, place, name)
    except OSError:
        _link(os.symlink, source, place, name)


def _link(make: Callable[[str, str], None], source: str, place: str, name: str) -> None:
    os.makedirs(place, exist_ok=True)
    try:
        make(source, os.path.join(place, name))
    except FileExistsError:
        return


def change_module(name: str, change: Callable[[Any], None]) -> None:
    """Call `change` with a module, now or right after it is imported."""
    module = sys.modules.get(name)
    if module is not None:
        change(module)
    else:
        sys.meta_path.insert(0, _OnImport(name, change))


def change_default(writer_class: Any) -> None:
    """Replace the default of `flush_secs`; one that a caller gives still wins."""
    initializer = writer_class.__init__
    code, defaults = initializer.__code__, list(initializer.__defaults__ or ())
    with_default = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    if "flush_secs" in with_default:
        defaults[with_default.index("flush_secs")] = FLUSH_SECONDS
        initializer.__defaults__ = tuple(defaults)


class _OnImport:
    """Changes one module right after its own code has run, and is gone then."""

    def __init__(self, name: str, change: Callable[[Any], None]) -> None:
        self.name, self.change = name, change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            self.change(module)

        spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec
