"""`/runs/N/record`, `/code`, `/diff`: what a run was started with: its code, git, interpreter, packages, machine."""

import tempfile
import zipfile
from pathlib import Path as FilePath
from typing import Annotated, Any, BinaryIO, cast

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from traindeck.api.attempt import AttemptNumber, attempt_number
from traindeck.api.content import attachment, part_of, whole_or_range
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.api.visitor import VARY, wants_fragment, wants_page
from traindeck.errors import NotFound
from traindeck.pages.setup_tab import render_setup
from traindeck.provenance.record_reader import read_record_of
from traindeck.runner.outside import open_file
from traindeck.runs.files import read_json
from traindeck.runs.queries import find_run, show_run
from traindeck.runs.view import RecordView
from traindeck.runs.written import open_written
from traindeck.sources.runcode import DIFF, GIT, code_of
from traindeck.sources.tree import CodeTree

router = APIRouter(tags=["runs"], route_class=StrictRoute)

TEXT = "text/plain; charset=utf-8"
TEXT_CONTENT = {"text/plain": {"schema": {"type": "string", "format": "binary"}}}
ZIP_CONTENT = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
EARLIEST = (1980, 1, 1, 0, 0, 0)


@router.get(
    "/runs/{run_id}/record",
    operation_id="getRecord",
    response_model=RecordView,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **responses(404, 422)},
)
def get_record(
    request: Request, response: Response, run_id: RunId, deck: DeckDep, attempt: AttemptNumber = None
) -> RecordView | Response:
    """Show what an attempt ran with: command, code, git, interpreter, packages, environment, machine.

    It is recorded within seconds of the start. Secrets in the environment are masked. Browsers get the run's page.
    """
    response.headers.update(VARY)
    with deck.database.read() as session:
        run = find_run(session, run_id)
        view = show_run(session, run_id, deck.slots.capacity)
    files = deck.files.run(run_id)
    # Before the record is read, which then has what is written in between.
    asks_git = deck.code.git.is_asking(files.folder)
    record = read_record_of(run, files, attempt_number(run, attempt))
    if not wants_page(request):
        return record
    if not wants_fragment(request):
        return RedirectResponse(f"/runs/{run_id}#setup", 303, VARY)
    tree = code_of(files.folder)
    kept = [(file.path, file.size) for file in tree.files] if tree else []
    page = render_setup(view, record, kept, asks_git=asks_git)
    return HTMLResponse(page, headers=VARY)


class CodeFileView(BaseModel):
    """One file of the project, by its path below the root."""

    path: str = Field(examples=["train.py"])
    size: int = Field(description="Bytes")
    sha256: str


class Code(BaseModel):
    """The code of a run, as it was at launch."""

    entry: str | None = Field(description="The started file; null if it is none of these")
    root: str | None = Field(description="The folder from which they were read; null if they were sent")
    digest: str = Field(description="Digest of all paths and contents: equal for equal code")
    files: list[CodeFileView]
    bytes: int
    complete: bool = Field(description="False if the folder was too large: then only what the entry imports is kept")
    git: dict[str, Any] | None = Field(
        description="Commit and changes of the folder shortly after the launch, if it is in a repository"
    )


@router.get("/runs/{run_id}/code", operation_id="getCode", responses=responses(404, 422))
def get_code(run_id: RunId, deck: DeckDep) -> Code:
    """List the code from which the run was started, with its commit."""
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
    # A file without a name: it is deleted when the answer is sent, or the client is gone.
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
        206: {"content": TEXT_CONTENT, "description": "The requested range"},
        **responses(404, 416, 422),
    },
)
def get_code_file(
    request: Request,
    run_id: RunId,
    path: Annotated[str, Path(description="The path as the list has it")],
    deck: DeckDep,
) -> StreamingResponse:
    """Read a file of the code. Every file is returned as text."""
    with deck.database.read() as session:
        find_run(session, run_id)
    file = open_written(deck.files.run(run_id).code, path)
    if file is None:
        raise NotFound(f"Run {run_id} has no such code.", f"GET /runs/{run_id}/code lists what was kept.")
    headers = {"Content-Disposition": attachment(path.rpartition("/")[2])}
    return whole_or_range(request, file, media_type=TEXT, headers=headers)


@router.get(
    "/runs/{run_id}/diff",
    operation_id="getDiff",
    response_class=StreamingResponse,
    responses={
        200: {"content": TEXT_CONTENT, "description": "The changes; empty if everything was committed"},
        206: {"content": TEXT_CONTENT, "description": "The requested range"},
        **responses(404, 416, 422),
    },
)
def get_diff(request: Request, run_id: RunId, deck: DeckDep) -> StreamingResponse:
    """Read what was not committed in the project's repository at the launch, as a diff."""
    with deck.database.read() as session:
        find_run(session, run_id)
    folder = deck.files.run(run_id).folder
    if not (folder / GIT).is_file():
        raise HTTPException(404, f"Run {run_id} has no record of a git repository.")
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
