"""What a run would go on from, and how it would be told."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from traindeck.runs.view import RunView

IN_A_RUN = re.compile(r"/attempt-(\d+)/work/(.+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Resume:
    """`path` is below the working folder of the attempt that saved it; `url` downloads it, "" for a folder.

    `told` is how the program gets it: an option, a variable of its environment, or "" for a trainer, which knows. It is
    not `offered` where a script is not known to read a checkpoint.
    """

    path: str
    url: str
    told: str
    offered: bool


def resume(run: RunView, checkpoint: str | None, told: str | None) -> Resume | None:
    """What resuming `run` would mean; None where it has ended without a checkpoint, or not ended."""
    found = IN_A_RUN.search(checkpoint or "")
    if found is None or not run.status.is_final:
        return None
    attempt, path = found.groups()
    older = "" if int(attempt) == run.attempt else f"?attempt={attempt}"
    # Hugging Face's Trainer goes on from a whole folder, which cannot be downloaded at one address.
    url = f"/runs/{run.id}/files/{quote(path)}{older}" if PurePosixPath(path).suffix else ""
    way = "" if run.script is None else run.script.resume_arg or told
    return Resume(path, url, way or "", way is not None)
