"""`/runs/N/code` and `/runs/N/diff`: what the run was started from, as it was then."""

import tempfile
import zipfile
from pathlib import Path as FilePath
from typing import Annotated, Any, BinaryIO, cast

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from traindeck.api.content import attachment, part_of, whole_or_range
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.runner.outside import open_file
from traindeck.runs.files import read_json
from traindeck.runs.queries import find_run
from traindeck.runs.written import open_written
from traindeck.sources.runcode import DIFF, GIT, code_of
from traindeck.sources.tree import CodeTree

router = APIRouter(tags=["runs"], route_class=StrictRoute)

TEXT = "text/plain; charset=utf-8"
TEXT_CONTENT = {"text/plain": {"schema": {"type": "string", "format": "binary"}}}
ZIP_CONTENT = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
EARLIEST = (1980, 1, 1, 0, 0, 0)


class CodeFileView(BaseModel):
    """One file of the project, by its path below the root."""

    path: str = Field(examples=["train.py"])
    size: int = Field(description="Bytes")
    sha256: str


class Code(BaseModel):
    """The code of a run, as it was at launch."""

    entry: str | None = Field(description="The file that was started; null where it is none of these")
    root: str | None = Field(description="The folder that they were read from; null where they were sent")
    digest: str = Field(description="Of all paths and contents: equal for equal code")
    files: list[CodeFileView]
    bytes: int
    complete: bool = Field(description="False where the folder was too large: then only what the entry imports is kept")
    git: dict[str, Any] | None = Field(description="What git said of the folder shortly after the launch, if anything")


@router.get("/runs/{run_id}/code", operation_id="getCode", responses=responses(404, 422))
def get_code(run_id: RunId, deck: DeckDep) -> Code:
    """List the code that the run was started from, with its commit."""
    tree, folder = _code(deck, run_id)
    return Code(
        entry=tree.entry,
        root=tree.root,
        digest=tree.digest,
        files=[CodeFileView(path=file.path, size=file.size, sha256=file.sha256) for file in tree.files],
        bytes=tree.size,
        complete=tree.complete,
        git=read_json(folder / GIT),
    )


@router.get(
    "/runs/{run_id}/code.zip",
    operation_id="getCodeZip",
    response_class=StreamingResponse,
    responses={200: {"content": ZIP_CONTENT, "description": "All files"}, **responses(404, 422)},
)
@in_lane("files")
def get_code_zip(run_id: RunId, deck: DeckDep) -> StreamingResponse:
    """Download the code of the run as one zip."""
    tree, folder = _code(deck, run_id)
    # A file without a name: it is gone once the answer is sent, or the client is.
    packed = cast("BinaryIO", tempfile.TemporaryFile(dir=deck.code.blobs.partial))  # noqa: SIM115
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in tree.files:
            _pack(archive, folder, file.path, executable=file.executable)
    headers = {"Content-Disposition": attachment(f"run-{run_id}-code.zip")}
    return part_of(packed, 0, packed.tell(), status=200, media_type="application/zip", headers=headers)


@router.get(
    "/runs/{run_id}/code/{path:any_path}",
    operation_id="getCodeFile",
    response_class=StreamingResponse,
    responses={
        200: {"content": TEXT_CONTENT, "description": "The file"},
        206: {"content": TEXT_CONTENT, "description": "The range that was asked for"},
        **responses(404, 416, 422),
    },
)
def get_code_file(
    request: Request,
    run_id: RunId,
    path: Annotated[str, Path(description="The path as the list has it")],
    deck: DeckDep,
) -> StreamingResponse:
    """Read a file of the code, as text whatever it is."""
    with deck.database.read() as session:
        find_run(session, run_id)
    file = open_written(deck.files.run(run_id).code, path)
    if file is None:
        raise HTTPException(404, f"Run {run_id} has no such code. GET /runs/{run_id}/code lists what was kept.")
    headers = {"Content-Disposition": attachment(path.rpartition("/")[2])}
    return whole_or_range(request, file, media_type=TEXT, headers=headers)


@router.get(
    "/runs/{run_id}/diff",
    operation_id="getDiff",
    response_class=StreamingResponse,
    responses={
        200: {"content": TEXT_CONTENT, "description": "The changes; nothing where all was committed"},
        206: {"content": TEXT_CONTENT, "description": "The range that was asked for"},
        **responses(404, 416, 422),
    },
)
def get_diff(request: Request, run_id: RunId, deck: DeckDep) -> StreamingResponse:
    """Read what was not committed in the project's repository when the run was launched, as a diff."""
    with deck.database.read() as session:
        find_run(session, run_id)
    folder = deck.files.run(run_id).folder
    if not (folder / GIT).is_file():
        raise HTTPException(404, f"Nothing is known of a git repository of run {run_id}.")
    headers = {"Content-Disposition": attachment(f"run-{run_id}.diff")}
    diff = open_file(folder / DIFF)
    if diff is None:
        nothing = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115
        return part_of(nothing, 0, 0, status=200, media_type=TEXT, headers=headers)
    return whole_or_range(request, diff, media_type=TEXT, headers=headers)


def _code(deck: Deck, run_id: int) -> tuple[CodeTree, FilePath]:
    with deck.database.read() as session:
        find_run(session, run_id)
    folder = deck.files.run(run_id).folder
    tree = code_of(folder)
    if tree is None:
        raise HTTPException(404, f"Run {run_id} has no code of its own: it was started by a trainer or a command.")
    return tree, folder


def _pack(archive: zipfile.ZipFile, folder: FilePath, path: str, *, executable: bool) -> None:
    file = open_written(folder / "code", path)
    if file is None:
        return
    entry = zipfile.ZipInfo(path, EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    with file, archive.open(entry, "w") as target:
        while chunk := file.read(262_144):
            target.write(chunk)
