# mypy: disallow-untyped-calls=False
"""The embedding projector, which may read only what lies in the board's own folders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorboard.backend.http_util import Respond
from tensorboard.plugins import base_plugin
from tensorboard.plugins.projector import projector_plugin
from tensorboard.plugins.projector.metadata import PROJECTOR_FILENAME
from werkzeug.wrappers import Request

from traindeck.boards.bundle import with_fonts_below

ACTIVE_PATIENCE_SECONDS = 1.0
PAGE = "/projector_binary.html"
PAGE_ROOT = "../../.."
"""The page lies at data/plugin/projector/ below the board."""

_PATH_FIELDS = ("tensor_path", "metadata_path", "bookmarks_path")


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
