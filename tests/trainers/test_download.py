import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets import fetched as downloading
from traindeck.trainers.datasets.fetched import FetchStopped, SourceFailed, download

CONTENT = bytes(range(256)) * 1024
MD5 = hashlib.md5(CONTENT).hexdigest()


class Mirror(BaseHTTPRequestHandler):
    """Serves the content at any path, except: 404 at /missing, half of it at /cut."""

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/cut" else CONTENT)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_with_progress_in_kilobytes(make_context, tmp_path, mirror):
    seen = []

    class Watching(RunContext):
        def progress(self, *report: object) -> None:
            seen.append(report)

    download(make_context(kind=Watching), f"{mirror}/file", tmp_path / "file", MD5, "Downloading")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert seen[-1] == (256, 256, "kB", "Downloading")
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("path", "md5", "reason"),
    [("/missing", MD5, "404"), ("/cut", MD5, "does not have the MD5"), ("/file", "0" * 32, "does not have the MD5")],
)
def test_a_file_that_is_missing_cut_or_changed_is_a_failed_source(make_context, tmp_path, mirror, path, md5, reason):
    with pytest.raises(SourceFailed, match=reason):
        download(make_context(), mirror + path, tmp_path / "file", md5, "Downloading")


def test_a_server_that_is_not_there_is_a_failed_source(make_context, tmp_path):
    with pytest.raises(SourceFailed, match="refused"):
        download(make_context(), "http://127.0.0.1:9/file", tmp_path / "file", MD5, "Downloading")


def test_a_server_that_accepts_and_never_answers_is_given_up(make_context, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "SILENCE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        with pytest.raises(SourceFailed, match="timed out"):
            download(make_context(), url, tmp_path / "file", MD5, "Downloading")


def test_a_download_ends_when_the_run_is_asked_to_stop(make_context, tmp_path, mirror):
    ctx = make_context()
    ctx.request_stop()
    with pytest.raises(FetchStopped):
        download(ctx, f"{mirror}/file", tmp_path / "file", MD5, "Downloading")
