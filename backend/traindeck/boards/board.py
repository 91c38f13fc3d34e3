# mypy: disallow-untyped-calls=False
"""Serve one open board: a TensorBoard WSGI app over the folders of one run or of several.

The table of hyperparameters as CSV has no cell that is a formula, and the projector reads only files of the board.
"""

import copy
import csv
import io
import itertools
import os
import shutil
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from tensorboard import default, program
from tensorboard.backend import application
from tensorboard.backend.http_util import Respond
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import download_data
from tensorboard.plugins.projector import projector_plugin
from tensorboard.plugins.projector.metadata import PROJECTOR_FILENAME
from werkzeug.wrappers import Request

from traindeck.boards.boardreader import BoardReader
from traindeck.boards.boardspec import BoardSpec, Opening
from traindeck.boards.bundle import WebBundle, WsgiApp, with_fonts_below
from traindeck.boards.chain import take_any_folder_name
from traindeck.boards.provider import BoardDataProvider
from traindeck.events.seriesnames import readable

ACTIVE_PATIENCE_SECONDS = 1.0
PAGE = "/projector_binary.html"
PAGE_ROOT = "../../.."
"""The page lies at data/plugin/projector/ below the board."""

_PATH_FIELDS = ("tensor_path", "metadata_path", "bookmarks_path")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet executes."""
DATA_PATH = "/data/"
PIECES = {"imageData", "individualImage", "individualAudio"}
"""Single images and sounds of those that were listed: newer ones that were taken in meanwhile may put them out."""
_OPENED = itertools.count()


class BoardProjector(projector_plugin.ProjectorPlugin):
    """TensorBoard's projector, with every path of a configuration checked once links are resolved.

    TensorBoard compares a path with the configuration's own folder. That folder may be a link out of the run,
    and a path may name a pipe that nobody writes: what leads there is taken out of the configuration. So are hidden
    files, which are not served elsewhere either.
    """

    def __init__(self, context: base_plugin.TBContext, folders: Sequence[Path]) -> None:
        super().__init__(context)
        self._folders = [folder.resolve() for folder in folders]

    def get_plugin_apps(self) -> dict[str, Any]:
        """Return TensorBoard's routes of the projector, its page mended."""
        apps: dict[str, Any] = super().get_plugin_apps()
        return apps | {PAGE: _serve_page}

    def is_active(self) -> bool:
        """Return whether there is anything to project; TensorBoard itself says no at first, and hides the tab."""
        if not super().is_active():
            thread = self._thread_for_determining_is_active
            if thread is not None:
                thread.join(ACTIVE_PATIENCE_SECONDS)
        return bool(self._is_active)

    def _read_latest_config_files(self, run_path_pairs: list[tuple[str, str]]) -> Any:
        readable = [pair for pair in run_path_pairs if self._may_read(Path(pair[1], PROJECTOR_FILENAME))]
        configs, paths = super()._read_latest_config_files(readable)
        for run, config in configs.items():
            for embedding in config.embeddings:
                self._refuse_outside(embedding, Path(paths[run]).parent)
        return configs, paths

    def _get_embedding(self, tensor_name: str, config: Any) -> Any:
        """Return the embedding, its paths checked once more: a file may have become a pipe since then."""
        embedding = super()._get_embedding(tensor_name, config)
        paths: dict[str, str] = self.config_fpaths or {}
        path = next((paths[run] for run, known in self._configs.items() if known is config and run in paths), None)
        if embedding is None or path is None:
            return embedding
        checked = type(embedding)()
        checked.CopyFrom(embedding)
        self._refuse_outside(checked, Path(path).parent)
        return checked

    def _refuse_outside(self, embedding: Any, folder: Path) -> None:
        for field in _PATH_FIELDS:
            if getattr(embedding, field) and not self._may_read_as(getattr(embedding, field), folder):
                embedding.ClearField(field)
        image = embedding.sprite.image_path
        if image and not self._may_read_as(image, folder):
            embedding.ClearField("sprite")

    def _may_read_as(self, given: str, folder: Path) -> bool:
        # A link of a hidden name is hidden, wherever it leads.
        return not _is_hidden(Path(given)) and self._may_read(folder / given)

    def _may_read(self, path: Path) -> bool:
        """Return True for a regular file below one of the board's folders that is not hidden."""
        resolved = path.resolve()
        folder = next((folder for folder in self._folders if resolved.is_relative_to(folder)), None)
        if folder is None or _is_hidden(resolved.relative_to(folder)):
            return False
        return resolved.is_file()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") and part != ".." for part in path.parts)


@Request.application
def _serve_page(request: Request) -> Any:
    folder = Path(projector_plugin.__file__).parent / "tf_projector_plugin"
    page = (folder / PAGE.removeprefix("/")).read_bytes()
    return Respond(request, with_fonts_below(page, PAGE_ROOT), "text/html")


class ProjectorLoader(base_plugin.TBLoader):
    """Makes the projector of one board."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def load(self, context: base_plugin.TBContext) -> BoardProjector:
        """Return the projector, for TensorBoard to route to."""
        return BoardProjector(context, self._folders)


class SafeDownload(download_data.Handler):
    """TensorBoard's answer, with an apostrophe before each cell that a spreadsheet would take for a formula.

    Names and values of hyperparameters are those of a run's event files, which may come from anybody.
    """

    def run(self) -> tuple[Any, str]:
        """Return the body, and its media type."""
        body, mime_type = super().run()
        return (_without_formulas(body), mime_type) if mime_type == "text/csv" else (body, mime_type)


def make_downloads_safe() -> None:
    """Have TensorBoard's plugin answer so, in this process."""
    download_data.Handler = SafeDownload  # type: ignore[misc]


def _without_formulas(body: str) -> str:
    written = io.StringIO()
    rows = csv.reader(io.StringIO(body, newline=""))
    csv.writer(written).writerows([_shown(cell) for cell in row] for row in rows)
    return written.getvalue()


def _shown(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


class TensorBoard:
    """What all boards share: TensorBoard's flags and plugins, and its web page."""

    def __init__(self) -> None:
        make_downloads_safe()
        take_any_folder_name()
        self._plugins = default.get_plugins()
        configured = program.TensorBoard(self._plugins)
        configured.configure(["tensorboard", "--logdir", os.devnull])
        self._flags = configured.flags
        self.bundle = WebBundle(configured.assets_zip_provider)

    def app(self, opening: Opening, reader: BoardReader, logdir: Path) -> WsgiApp:
        """Return TensorBoard's WSGI app for the data of `reader`."""
        flags = copy.copy(self._flags)
        flags.logdir, flags.path_prefix = str(logdir), opening.prefix
        flags.window_title = opening.board.title
        projector = ProjectorLoader(list(opening.board.folders.values()))
        data = BoardDataProvider(reader.multiplexer, readable(str(logdir)), opening.board)
        app: WsgiApp = application.TensorBoardWSGIApp(
            flags,
            [projector if plugin is projector_plugin.ProjectorPlugin else plugin for plugin in self._plugins],
            data,
            None,
            reader.multiplexer,
            experimental_middlewares=[partial(self.bundle.around, prefix=opening.prefix, colours=data.colours)],
        )
        return app


class Board:
    """A WSGI app that takes in what is new before it answers a request for data."""

    def __init__(self, opening: Opening, tensorboard: TensorBoard, trees: Path, reader: BoardReader) -> None:
        self._tensorboard, self._trees = tensorboard, trees
        self.reader = reader
        # Its own at each opening: a board that is being closed takes only its own along.
        self._tree = trees / f"{opening.key}-{next(_OPENED)}"
        logdir = _logdir(opening.board, self._tree)
        self._app = tensorboard.app(opening, self.reader, logdir)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request; see PEP 3333."""
        path = environ["PATH_INFO"]
        if DATA_PATH in path and not (path.rpartition("/")[2] in PIECES and self.reader.has_read):
            self.reader.refresh()
        elif self.reader.board.colours and path.endswith("/") and not self.reader.has_read:
            # The page itself: which run has which colour is known once the runs are.
            self.reader.refresh()
        return self._app(environ, start_response)

    def changed(self, opening: Opening) -> Self:
        """Return this board with other runs, or other names of runs; what was read of those that stay is kept."""
        self.reader.change(opening.board)
        shutil.rmtree(self._tree, ignore_errors=True)
        return type(self)(opening, self._tensorboard, self._trees, self.reader)

    def close(self) -> None:
        """Forget the board; requests under way are still answered."""
        self.reader.close()
        shutil.rmtree(self._tree, ignore_errors=True)


def _logdir(board: BoardSpec, tree: Path) -> Path:
    """Return what plugins that read files take for the log directory: the one folder, or links to several."""
    if list(board.folders) == [""]:
        return board.folders[""]
    for prefix, folder in board.folders.items():
        link = tree / prefix
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder)
    return tree
