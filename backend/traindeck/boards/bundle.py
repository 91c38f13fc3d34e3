"""TensorBoard's web page, served once for all boards.

TensorBoard unpacks its archive and compresses every file again for each app (a quarter of a second). The
archive's members are deflated already, which is what gzip wraps: here they go out as they lie in it.

Its script is 6 MB. A browser keeps what it has fetched and compiled by its address, so all boards name the same one.
"""

import gzip
import hashlib
import mimetypes
import posixpath
import re
import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, BinaryIO

from werkzeug.wrappers import Request, Response

from traindeck.boards.boardspec import SHARED_PATH
from traindeck.boards.palette import head as palette_head
from traindeck.boards.palette import with_colours_from_page

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

INDEX, SCRIPT = "index.html", "index.js"
SCRIPT_SOURCE = re.compile(rb'src="index\.js(\?_file_hash=\w+)?"')
DOWNLOAD = re.compile(rb"(?<=`)/experiment/(?=\$\{[\w$]+\}/data/plugin/scalars/scalars\?)")
INDEXES_KEPT = 64
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
LOCAL_HEADER_BYTES = 30
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the bundle: its bytes, gzip'd where `encoding` says so, and a tag of its content."""

    body: bytes
    encoding: str | None
    etag: str


class WebBundle:
    """The files of TensorBoard's front end, each read at first use from the archive that `opener` opens."""

    def __init__(self, opener: Callable[[], BinaryIO]) -> None:
        self._opener = opener
        with opener() as file, zipfile.ZipFile(file) as archive:
            self._infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        self.asset = cache(self._read)
        self.index = lru_cache(INDEXES_KEPT)(self._index)
        self.script = cache(self._script)

    def around(self, app: WsgiApp, prefix: str, colours: Callable[[], list[int] | None]) -> WsgiApp:
        """Return `app`, mounted at `prefix`, with requests for the bundle's files answered here.

        Unless `colours` gives None, TensorBoard's runs have these colours, in its order of runs.
        """

        def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            name = environ["PATH_INFO"].removeprefix("/") or INDEX
            if name not in self._infos:
                return app(environ, start_response)
            root = posixpath.relpath(prefix or "/", environ["SCRIPT_NAME"] or "/")
            asset = self._page(root, colours()) if name == INDEX else self.asset(name)
            return _respond(name, asset, Request(environ))(environ, start_response)

        return serve

    def serve_shared(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request for what all boards share: the script that their pages name."""
        if environ["PATH_INFO"] != SHARED_PATH + SCRIPT:
            return Response(status=404)(environ, start_response)
        return _respond(SCRIPT, self.script(), Request(environ))(environ, start_response)

    def _page(self, root: str, colours: list[int] | None) -> Asset:
        return self.index(root, None if colours is None else tuple(colours))

    def _script(self) -> Asset:
        """Return the script with colours from the page and working downloads, compressed fast, as a page waits."""
        body = with_downloads_below(with_colours_from_page(gzip.decompress(self.asset(SCRIPT).body)))
        return Asset(gzip.compress(body, 1, mtime=0), "gzip", hashlib.sha256(body).hexdigest()[:16])

    def _read(self, name: str) -> Asset:
        info = self._infos[name]
        etag = f"{info.CRC:08x}-{info.file_size:x}"
        with self._opener() as file:
            if info.compress_type != zipfile.ZIP_DEFLATED:
                with zipfile.ZipFile(file) as archive:
                    return Asset(archive.read(name), None, etag)
            return Asset(_gzip_of(file, info), "gzip", etag)

    def _index(self, relative_root: str, colours: tuple[int, ...] | None = None) -> Asset:
        """Return the page itself, which must know the way from its address to the board's root: "." or "../.."."""
        head = f'<!doctype html><meta name="tb-relative-root" content="{relative_root}/">'
        source = f'src="{SHARED_PATH}{SCRIPT}?_file_hash={self.script().etag}"'
        page = SCRIPT_SOURCE.sub(source.encode(), gzip.decompress(self.asset(INDEX).body))
        body = (
            head.encode() + (b"" if colours is None else palette_head(colours)) + with_fonts_below(page, relative_root)
        )
        return Asset(gzip.compress(body, mtime=0), "gzip", hashlib.sha256(body).hexdigest()[:16])


def with_fonts_below(page: bytes, relative_root: str) -> bytes:
    """TensorBoard's pages look for their fonts at the root of the host, wherever the board is: mend that."""
    return page.replace(b"url(/font-roboto/", b"url(" + relative_root.encode() + b"/font-roboto/")


def with_downloads_below(script: bytes) -> bytes:
    """TensorBoard's menu of a time series card downloads from the root of the host, too: mend that where it is so."""
    return DOWNLOAD.sub(b"experiment/", script)


def _respond(name: str, asset: Asset, request: Request) -> Response:
    body, encoding = asset.body, asset.encoding
    if encoding and not request.accept_encodings[encoding]:
        body, encoding = gzip.decompress(body), None
    response = Response(body, content_type=_content_type(name))
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # What TensorBoard's own check of every answer asks for; the server puts the deck's policy in its place.
    response.headers["Content-Security-Policy"] = "default-src 'self'"
    if encoding:
        response.headers["Content-Encoding"] = encoding
    _cache(response, request, asset.etag)
    return response.make_conditional(request.environ)


def _gzip_of(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """Return a deflated member as a gzip file (RFC 1952): header, the same stream, checksum and size."""
    file.seek(info.header_offset)
    local = file.read(LOCAL_HEADER_BYTES)
    name_bytes, extra_bytes = struct.unpack("<HH", local[26:30])
    file.seek(name_bytes + extra_bytes, 1)
    stream = file.read(info.compress_size)
    return GZIP_HEADER + stream + struct.pack("<II", info.CRC, info.file_size & 0xFFFFFFFF)


def _content_type(name: str) -> str:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _cache(response: Response, request: Request, etag: str) -> None:
    """Have browsers keep an answer: for good at an address with a content hash, else they ask again."""
    response.set_etag(etag, weak=True)
    lasting = f"private, max-age={YEAR_SECONDS}, immutable"
    response.headers["Cache-Control"] = lasting if "_file_hash" in request.args else "no-cache"
