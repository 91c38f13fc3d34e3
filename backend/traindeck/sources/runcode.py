"""The code of one run in its folder: `runs/N/code/`, as hard links to kept contents, and its manifest."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from traindeck.runner.copying import copy_file
from traindeck.sources.blobs import Blobs
from traindeck.sources.project import folders_of
from traindeck.sources.tree import CodeFile, CodeTree, read_tree, tree_of
from traindeck.system.wholefiles import sync_folder, write_json

MANIFEST = "code.json"
CODE = "code"
GIT = "git.json"
DIFF = "uncommitted.diff"
MAX_FOUND = 5000


def materialise(blobs: Blobs, tree: CodeTree, run_folder: Path) -> None:
    """Put a tree into the folder of a run: `code/` and `code.json`. Both are on disk on return, but for their names
    in `run_folder`, which the caller brings there.

    Raises:
        BlobMissing: a content is not kept any more.
        OSError: the disk is full, or the folder is gone.
    """
    code = run_folder / CODE
    code.mkdir()
    folders = folders_of(file.path for file in tree.files)
    for folder in folders:
        (code / folder).mkdir()
    for file in tree.files:
        blobs.link(file.sha256, code / file.path)
    for folder in [*reversed(folders), ""]:
        sync_folder(code / folder)
    write_json(run_folder / MANIFEST, tree.as_json())


def read_manifest(run_folder: Path) -> CodeTree | None:
    """What a run has kept of its code, by its manifest; None for runs of older decks, and of trainers."""
    return read_tree(run_folder / MANIFEST)


def code_of(run_folder: Path) -> CodeTree | None:
    """What a run has kept of its code; for a run of an older deck, what lies in its folder. None where nothing does."""
    tree = read_manifest(run_folder)
    if tree is not None:
        return tree
    files = [_file(path, run_folder / CODE) for path in _files(run_folder / CODE)]
    return tree_of(files[0].path if len(files) == 1 else None, None, files) if files else None


def keep_again(blobs: Blobs, run_folder: Path) -> CodeTree | None:
    """The code of a run, whose contents are all kept on return, so that another run can have it.

    Raises:
        OSError: a file is gone from the run's folder, or the disk is full.
    """
    tree = code_of(run_folder)
    for file in tree.files if tree else ():
        if not blobs.holds(file.sha256) and (digest := blobs.put_file(run_folder / CODE / file.path)) != file.sha256:
            raise OSError(f"{file.path} of {run_folder.name} was changed after its launch ({digest})")
    return tree


def copy_git(source: Path, target: Path) -> None:
    """Say of a run that repeats another what git said of the first: it has the same code."""
    for name in (GIT, DIFF):
        if (source / name).is_file():
            copy_file(source / name, target / name)


def _files(code: Path) -> Iterator[Path]:
    found = sorted(path for path in code.rglob("*") if path.is_file() and not path.is_symlink())
    yield from found[:MAX_FOUND]


def _file(path: Path, code: Path) -> CodeFile:
    info = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return CodeFile(path.relative_to(code).as_posix(), info.st_size, digest, info.st_mtime_ns)
