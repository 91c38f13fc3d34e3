# mypy: disallow-untyped-calls=False
"""One open board: a TensorBoard WSGI app over one run's folders, or several runs'."""

import copy
import itertools
import os
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Self

from tensorboard import default, program
from tensorboard.backend import application
from tensorboard.plugins.projector import projector_plugin

from traindeck.boards.boardreader import BoardReader
from traindeck.boards.boardspec import BoardSpec, Opening
from traindeck.boards.bundle import WebBundle, WsgiApp
from traindeck.boards.chain import take_any_folder_name
from traindeck.boards.downloads import make_downloads_safe
from traindeck.boards.projector import ProjectorLoader
from traindeck.boards.provider import BoardDataProvider
from traindeck.events.seriesnames import readable

DATA_PATH = "/data/"
PIECES = {"imageData", "individualImage", "individualAudio"}
"""Single images and sounds of those that were listed: newer ones that were taken in meanwhile may put them out."""

_OPENED = itertools.count()


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
