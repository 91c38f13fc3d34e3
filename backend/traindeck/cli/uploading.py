"""Sends a script, a folder or a .zip to a deck that cannot read the caller's files."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from traindeck.cli.client import call
from traindeck.cli.exits import CommandFailed, Exit

if TYPE_CHECKING:
    import httpx

MAX_FILES = 5000
LEFT_OUT = frozenset({"__pycache__", "node_modules", "runs", "lightning_logs", "wandb", "mlruns"})
"""Folders of what programs have written; those that are hidden, and virtual environments, stay behind, too."""


def launch_uploaded(client: "httpx.Client", path: str, body: Mapping[str, Any]) -> "httpx.Response":
    """Queue a run of what lies at `path`.

    Raises:
        CommandFailed: it cannot be read, no deck answers, or it refuses.
    """
    data = {"run": json.dumps(body)}
    try:
        if not os.path.isdir(path):  # noqa: PTH112
            with Path(path).open("rb") as file:
                return call(client, "POST", "/runs", data=data, files={"file": (Path(path).name, file)})
        with TemporaryFile() as packed:
            _pack(Path(path), packed)
            packed.seek(0)
            return call(
                client, "POST", "/runs", data=data, files={"file": (f"{Path(path).resolve().name}.zip", packed)}
            )
    except OSError as error:
        raise CommandFailed(f"{error.filename or path} cannot be sent: {error.strerror}", Exit.USAGE) from error


def _pack(folder: Path, target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for number, path in enumerate(_files(folder)):
            if number == MAX_FILES:
                raise CommandFailed(f"{folder} has more than {MAX_FILES} files: name a smaller folder", Exit.USAGE)
            archive.write(path, path.relative_to(folder))


def _files(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        here = Path(top)
        folders[:] = sorted(name for name in folders if not _left_out(here / name))
        yield from (here / name for name in sorted(names) if not name.startswith(".") and (here / name).is_file())


def _left_out(folder: Path) -> bool:
    return folder.name in LEFT_OUT or folder.name.startswith(".") or (folder / "pyvenv.cfg").is_file()
