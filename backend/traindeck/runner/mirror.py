"""Mirrors the folder that a program is meant to run in into its working folder, so that relative paths lead there.

Small files and checkpoints are copied, as they were when the deck kept them at launch: what a run writes over is its
own, and not the user's. Everything else is a link to the original. Folders are real, so that new files never land among
the user's; one that would take too long is a link itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from traindeck.runner.copying import copy_data, free_bytes, is_of_kernel, is_on_kernel_device, open_regular
from traindeck.runner.order import Order, ScriptOrder

MAX_ENTRIES = 1000
MAX_DEPTH = 5
SMALL_BYTES = 64 * 1024
BUDGET_BYTES = 64 * 1024 * 1024
"""How much is copied at most, in 40 ms or so; checkpoints count, and are what fills it."""
INPUTS = "inputs.json"
WHOLE = frozenset({"data", "dataset", "datasets"})
"""Folders of data are linked whole: what a script downloads to its own `data` is there for its next run."""
OUTPUTS = frozenset({"runs", "lightning_logs", "tb_logs", "wandb", "mlruns"})
CHECKPOINTS = (".pt", ".pth", ".ckpt", ".safetensors")
JUNK = frozenset({"__pycache__", "node_modules", "site-packages"})
OWN_NAMES = frozenset({"work", "hparams", "output.log", "scalars", "hook", "events-elsewhere"})
"""What stands beside a working folder, and so is never a `../name` of the user's."""


def mirror(order: Order) -> None:
    """Fill `order.work`, and list in the attempt's inputs.json what was copied: {path: [bytes, mtime in ns]}.

    Whatever cannot be mirrored is left out; the program says itself what it misses.
    """
    script = order.script
    # What was pasted or uploaded is meant from where its files are: in the folder of the kept code.
    sent = script.code if script and script.program.kind != "command" and script.root is None else None
    base = script and (script.program.cwd or sent)
    if script is None or not base or is_of_kernel(base):
        return
    mirroring = _Mirroring(order, Path(base), script)
    with contextlib.suppress(OSError, ValueError):
        mirroring.all()
        for argument in [*script.program.args, *script.program.command[1:]]:
            mirroring.named(argument)
    mirroring.record_copies()


class _Mirroring:
    def __init__(self, order: Order, base: Path, script: ScriptOrder) -> None:
        self.work = order.work
        self.attempt = order.path
        self.base = base
        self.code = Path(script.code) if script.code else None
        self.root = script.root or script.code
        self.left = MAX_ENTRIES
        self.bytes_left = min(BUDGET_BYTES, _room(order))
        self.copied: dict[str, list[int]] = {}

    def all(self) -> None:
        """Mirror the base folder; where it is too big, only the code that was kept of it."""
        entries = _entries(self.base, self.left)
        if entries is None:
            self._kept_only()
            return
        self._folder(entries, self.work, "", 1)
        self._beside("data")

    def named(self, argument: str) -> None:
        """Mirror what an argument (`configs/a.yaml`, `--from=runs/x/last.pt`) names below the base folder."""
        for value in {argument, argument.partition("=")[2]}:
            path = os.path.normpath(value) if value else "."
            if path in (".", "..") or path.startswith(os.sep) or len(path) > 1024:
                continue
            first, _, rest = path.partition(os.sep)
            if first == "..":
                self._beside(rest.partition(os.sep)[0])
            elif not os.path.lexists(self.work / path) and os.path.lexists(self.base / path):
                self._single(path)

    def record_copies(self) -> None:
        """Write down the copies: one that the run has not changed is none of its files."""
        if self.copied:
            # Without the list, the copies are shown among the files of the run.
            with contextlib.suppress(OSError):
                (self.attempt / INPUTS).write_text(json.dumps(self.copied))

    def _folder(self, entries: list[os.DirEntry[str]], target: Path, prefix: str, depth: int) -> None:
        for entry in entries:
            self.left -= 1
            # A script that needs the file says that it is missing.
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    self._inner(entry, target / entry.name, f"{prefix}{entry.name}", depth)
                elif not self._copy(f"{prefix}{entry.name}", target / entry.name):
                    os.symlink(entry.path, f"{target}/{entry.name}")  # noqa: PTH211

    def _inner(self, entry: os.DirEntry[str], target: Path, path: str, depth: int) -> None:
        if self._is_left_out(entry):
            return
        entries = None
        whole = depth == 1 and entry.name in WHOLE
        if depth < MAX_DEPTH and not whole and not is_on_kernel_device(entry.stat().st_dev, entry.path):
            entries = _entries(entry.path, self.left)
        if entries is None:
            target.symlink_to(entry.path)
            return
        target.mkdir()
        self._folder(entries, target, f"{path}/", depth + 1)

    def _is_left_out(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name
        if name in OUTPUTS or name in JUNK or name.endswith(".egg-info"):
            return True
        if Path(entry.path, "pyvenv.cfg").exists():
            return True
        if name == "outputs":
            return any(True for _ in _below(entry.path, ".hydra"))
        if name == "logs":
            return any(True for _ in _below(entry.path, "events.out.tfevents"))
        # The deck's own home, where it lies in the project.
        return f"{self.attempt}/".startswith(f"{entry.path}/")

    def _copy(self, path: str, target: Path) -> bool:
        if path.endswith(".py"):
            return False
        original, kept = self._sources(path)
        try:
            # What was kept has the time of when it was kept first; the user's file tells when it was written.
            info = os.stat(original)  # noqa: PTH116
            if not self._is_worth_a_copy(path, info) or is_on_kernel_device(info.st_dev, original):
                return False
            # What was kept may be longer or shorter; it does not change any more.
            size = info.st_size if kept == original else os.stat(kept).st_size  # noqa: PTH116
            self.copied[path] = [_write_copy(kept, str(target), info, size), info.st_mtime_ns]
        except OSError:
            return False
        return True

    def _sources(self, path: str) -> tuple[str, str]:
        """Return the user's file, and its content as it was kept; the one for the other where only one is there."""
        original = f"{self.base}/{path}"
        if self.code is None or not original.startswith(f"{self.root}/"):
            return original, original
        kept = f"{self.code}{original[len(self.root or '') :]}"
        if not os.path.isfile(kept):  # noqa: PTH113
            return original, original
        return (original, kept) if os.path.isfile(original) else (kept, kept)  # noqa: PTH113

    def _is_worth_a_copy(self, path: str, info: os.stat_result) -> bool:
        if not stat.S_ISREG(info.st_mode) or info.st_size > self.bytes_left:
            return False
        if info.st_size > SMALL_BYTES and not path.endswith(CHECKPOINTS):
            return False
        self.bytes_left -= info.st_size
        return True

    def _kept_only(self) -> None:
        if self.code is None:
            return
        for kept in self.code.rglob("*"):
            original = Path(self.root or "") / kept.relative_to(self.code)
            if self.left <= 0:
                return
            self.left -= 1
            if original.is_relative_to(self.base) and kept.is_file():
                self._single(str(original.relative_to(self.base)))

    def _single(self, path: str) -> None:
        target = self.work / path
        # A script that needs the file says that it is missing.
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self._copy(path, target):
                target.symlink_to(self._sources(path)[0])

    def _beside(self, name: str) -> None:
        """Have `../name` lead to what it would lead to from the base folder."""
        original = self.base.parent / name
        if name and name not in OWN_NAMES and "." not in name and original.is_dir() and original != self.base:
            with contextlib.suppress(OSError):
                (self.attempt / name).symlink_to(original)


def _room(order: Order) -> int:
    """Return the bytes that the disk has for copies."""
    try:
        return free_bytes(order.work, order.disk_reserve_bytes)
    except OSError:
        return 0


def _write_copy(source: str, target: str, info: os.stat_result, size: int) -> int:
    """Copy at most `size` bytes of a file, with the permissions and the time of `info`; the number of bytes."""
    mode = stat.S_IMODE(info.st_mode) | stat.S_IWUSR
    reading = open_regular(source)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            copied = copy_data(reading, writing, size)
            os.utime(writing, ns=(info.st_mtime_ns, info.st_mtime_ns))
        except OSError:
            os.unlink(target)  # noqa: PTH108 (a Path for each of a thousand files takes its time)
            raise
        finally:
            os.close(writing)
    finally:
        os.close(reading)
    return copied


def _entries(folder: str | Path, limit: int) -> list[os.DirEntry[str]] | None:
    """Return what lies in a folder but for hidden names; None where it is more than `limit`, or cannot be read."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name != "__pycache__":
                    found.append(entry)
                if len(found) > limit:
                    return None
    except OSError:
        return None
    return found


def _below(folder: str, beginning: str) -> Iterator[str]:
    """Names that begin so, at most three folders deep, among the first thousand."""
    seen = 0
    for root, folders, names in os.walk(folder):
        if root[len(folder) :].count(os.sep) >= 3:
            folders.clear()
        for name in [*folders, *names]:
            seen += 1
            if name.startswith(beginning):
                yield name
        if seen > MAX_ENTRIES:
            return
