"""Fetching one file over HTTP, with a deadline, a checksum, and progress."""

import time
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.fetched import FetchStopped, SourceFailed, has_md5

SILENCE_SECONDS = 5.0
"""A server that says nothing for this long, when connecting or later, is given up."""
DOWNLOAD_SECONDS = 900.0
CHUNK_BYTES = 1 << 16


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
