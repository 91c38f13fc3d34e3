"""Asks scripts for the options that they declare: through the warm forkserver where it can be, and each only once.

An inspection is a process of its own for a few tens of milliseconds. The request is a file in a folder that is thrown
away; the answer another; that the process is through is told by the end of a pipe.
"""

import json
import logging
import math
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from traindeck.errors import DeckBusy
from traindeck.executors.local.launcher import Launcher
from traindeck.options.inspection import Inspection, InspectionCache, Parsed, Sources, Target
from traindeck.options.schema import make_schema
from traindeck.options.sources import sources_of
from traindeck.runner.copying import open_regular
from traindeck.runner.variables import plain_environment, variables_of_limit
from traindeck.system.openfiles import limit_of_user

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""How long a script may take to come to its parser."""
COLD_SECONDS = 30.0
"""As much in a fresh Python, which may have to import torch from a cold disk."""
PICKUP_SECONDS = 2.0
"""How long the forkserver may take to begin with a request; one that hangs is not waited for."""
REMOVE_SECONDS = 30.0
MARGIN_SECONDS = 5.0
"""What the process around it has beyond that, to end everything."""
AT_ONCE = 2
TURN_SECONDS = 20.0
LOOK_SECONDS = 0.5
MAX_ANSWER_BYTES = 5_000_000
MAX_ANSWER_DEPTH = 60
"""Commands lie in commands, and values in values; the deepest that are asked for need half of that."""
UNREADABLE = {"reason": "its answer cannot be read"}


class Inspector:
    """Inspections of one deck; every method may be called from any thread, and blocks it."""

    def __init__(
        self, launcher: Launcher, cache: Path, *, seconds: float = SECONDS, cold_seconds: float = COLD_SECONDS
    ) -> None:
        self._launcher = launcher
        self._cache = InspectionCache(cache)
        self._folder = cache.with_name("inspections")
        # What was under way when the last server was killed.
        shutil.rmtree(self._folder, ignore_errors=True)
        self._seconds, self._cold_seconds = seconds, cold_seconds
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Inspection]] = {}

    def inspect(self, target: Target) -> Inspection:
        """What a script declares. Many who ask for the same at once share one process.

        Raises:
            DeckBusy: too many others ask.
        """
        sources = sources_of(target)
        return replace(self._cache.get(sources.digest) or self._shared(target, sources), target=target)

    def known(self, target: Target) -> Inspection | None:
        """What was found out before, without running anything; None where the script has to be asked."""
        found = self._cache.get(sources_of(target).digest)
        return replace(found, target=target) if found else None

    def inspect_within(self, target: Target, seconds: float) -> Inspection:
        """As `inspect`, but what takes longer than this goes on by itself, and nothing is known yet."""
        found = self.known(target)
        if found is not None:
            return found
        try:
            return self.begin(target).result(timeout=seconds)
        except FutureTimeout:
            return Inspection(
                None, f"it did not come to a parser within {seconds:g} s", seconds, late=True, target=target
            )

    def begin(self, target: Target) -> "Future[Inspection]":
        """Ask in a thread of its own, for those who will not wait for long."""
        future: Future[Inspection] = Future()

        def ask() -> None:
            try:
                future.set_result(self.inspect(target))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=ask, name="inspection", daemon=True).start()
        return future

    def parse(self, target: Target, args: Sequence[str]) -> Parsed:
        """What the script's own parser makes of arguments; nothing where it cannot be asked."""
        sources = sources_of(target)
        if sources.reason():
            return Parsed()
        return _parsed(self._asked(target, sources, args))

    def _shared(self, target: Target, sources: Sources) -> Inspection:
        digest = sources.digest
        with self._lock:
            future = self._under_way.get(digest)
            mine = future is None
            if future is None:
                future = self._under_way[digest] = Future()
        if not mine:
            return future.result()
        try:
            inspection = self._inspected(target, sources)
            self._cache.put(digest, inspection)
            future.set_result(inspection)
            return inspection
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[digest]

    def _inspected(self, target: Target, sources: Sources) -> Inspection:
        started = time.monotonic()
        reason = sources.reason()
        if reason:
            return Inspection(None, reason, time.monotonic() - started)
        answer = self._asked(target, sources, None)
        seconds = time.monotonic() - started
        if "declaration" not in answer:
            late, said = bool(answer.get("late")), str(answer.get("reason", UNREADABLE["reason"]))[:1000]
            logger.info("inspection of %s: %s", target.file or target.program.module, said)
            return Inspection(None, said, seconds, late=late)
        try:
            schema = make_schema(answer["parser"], answer["declaration"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            # The script runs in the process that answers, and may write what it likes.
            return Inspection(None, UNREADABLE["reason"], seconds)
        # A script may give its parser others than the arguments that it got.
        schema["x-own-args"] = sources.argv or bool(answer.get("fed", True))
        return Inspection(schema, "", seconds)

    def _asked(self, target: Target, sources: Sources, args: Sequence[str] | None) -> dict[str, Any]:
        """The answer of a process that runs the script to its parser."""
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise DeckBusy("Too many scripts are asked for their options at the moment; try again shortly.")
        try:
            cold = target.program.cold or target.program.python or self._launcher.cold
            # A forkserver that is still importing takes longer than a fresh Python.
            warm = not cold and self._launcher.forkserver.ready
            return self._answer(target, sources, args, warm=warm)
        finally:
            self._turns.release()

    def _answer(self, target: Target, sources: Sources, args: Sequence[str] | None, *, warm: bool) -> dict[str, Any]:
        for folder in (self._folder.parent, self._folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        seconds = self._seconds if warm else self._cold_seconds
        try:
            request = _write_request(folder, target, sources, args, seconds)
            run = self._run_warm if warm else self._run_cold
            run(request, folder / "pipe", seconds + MARGIN_SECONDS)
            answer = _read_answer(folder / "answer.json")
        finally:
            _remove(folder)
        if answer is None and warm:
            # There was no forkserver, it hangs, or it was killed with this in hand.
            return self._answer(target, sources, args, warm=False)
        return answer or {"reason": "the process that asked it for its options was ended", "late": True}

    def _run_warm(self, request: Path, pipe: Path, seconds: float) -> None:
        forkserver = self._launcher.forkserver
        asked = forkserver.pid
        with _Pipe(pipe) as end:
            if asked is not None and forkserver.inspect(request):
                end.wait(seconds, lambda: forkserver.pid == asked, PICKUP_SECONDS)

    def _run_cold(self, request: Path, pipe: Path, seconds: float) -> None:
        command = [sys.executable, "-m", "traindeck.runner.inspecting.watch", str(request)]
        with _Pipe(pipe) as end, self._launcher.forkserver.log.open("ab") as log:
            env = {**plain_environment(), **variables_of_limit(limit_of_user())}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=env)
            try:
                end.wait(seconds, lambda: process.poll() is None)
                process.wait(timeout=1.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class _Pipe:
    """The reading end of a FIFO, which tells that whoever has opened the other end is through."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._reading = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reading)

    def wait(self, seconds: float, alive: Callable[[], bool], pickup_seconds: float = math.inf) -> None:
        """Wait until the other end was opened and closed again, or nobody is `alive` to open it.

        Who opens it writes a byte at once; that is waited for no longer than `pickup_seconds`.
        """
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        began = time.monotonic()
        while (left := began + min(seconds, pickup_seconds) - time.monotonic()) > 0:
            events = [event for _, event in poll.poll(min(LOOK_SECONDS, left) * 1000)]
            if any(event & select.POLLIN for event in events):
                os.read(self._reading, 4096)
                pickup_seconds = math.inf
            elif any(event & select.POLLHUP for event in events) or not alive():
                return


def _write_request(folder: Path, target: Target, sources: Sources, args: Sequence[str] | None, seconds: float) -> Path:
    """The request in a new folder, with the pipe and the empty folder in which the script works."""
    work, own = folder / "work", folder / "script"
    work.mkdir()
    own.mkdir()
    os.mkfifo(folder / "pipe", 0o600)
    source, file = target.source, target.file
    if target.content is not None:
        source = own / Path(target.file or "script.py").name
        source.write_bytes(target.content)
        file = str(source)
    request = {
        "kind": "module" if target.program.module else "file",
        "source": str(source),
        "file": file or str(source),
        "module": target.program.module,
        "path0": str(target.path0 or own),
        "base": target.program.cwd,
        "python": target.program.python,
        "libraries": sorted(sources.libraries),
        "calls": sources.calls,
        "parse": None if args is None else list(args),
        "argv": list(args or ()),
        "folder": str(work),
        "answer": str(folder / "answer.json"),
        "pipe": str(folder / "pipe"),
        "seconds": seconds,
    }
    path = folder / "request.json"
    path.write_text(json.dumps(request))
    return path


def _read_answer(path: Path) -> dict[str, Any] | None:
    """What was written down; None where the process did not get as far."""
    try:
        descriptor = open_regular(path, follow=False)
    except FileNotFoundError:
        return None
    except OSError:
        return UNREADABLE
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MAX_ANSWER_BYTES + 1)
    if len(content) > MAX_ANSWER_BYTES:
        return {"reason": "what it declares is too large for a form"}
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return UNREADABLE
    return answer if isinstance(answer, dict) and _is_shallow(answer) else UNREADABLE


def _is_shallow(answer: Any) -> bool:
    level = [answer]
    for _ in range(MAX_ANSWER_DEPTH):
        level = [one for value in level if isinstance(value, dict | list) for one in _inside(value)]
        if not level:
            return True
    return False


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _parsed(answer: dict[str, Any]) -> Parsed:
    """What a script says of arguments; nothing where it says something else."""
    levels = answer.get("levels") or ([answer["values"]] if "values" in answer else None)
    extras, refusal, args = answer.get("extras", []), answer.get("refusal"), answer.get("args")
    sound = (levels is None or _is_list_of(levels, dict)) and _is_list_of(extras, str)
    sound = sound and (refusal is None or isinstance(refusal, str)) and (args is None or _is_list_of(args, str))
    if not sound:
        return Parsed()
    passed = bool(answer.get("passed") or answer.get("late"))
    return Parsed(levels, extras, refusal, bool(answer.get("early")), args, passed)


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def _remove(folder: Path) -> None:
    """Remove the folder of an inspection, whatever the script has made in it."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, timeout=REMOVE_SECONDS)
