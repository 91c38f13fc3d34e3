"""Lists of installed packages. Equal lists are one content, which every attempt that had them links to."""

import json
from pathlib import Path
from typing import Any

from traindeck.runs.files import read_json
from traindeck.sources.blobs import Blobs


def keep_packages(blobs: Blobs, packages: list[dict[str, Any]], target: Path) -> str:
    """Have `target` say what is installed; the digest of that.

    Raises:
        OSError: the disk is full, or the folder of `target` is gone.
    """
    content = json.dumps({"packages": packages}, ensure_ascii=False, separators=(",", ":")).encode()
    digest = blobs.put_bytes(content)
    # One that is there already is of an attempt whose recording was cut off.
    target.unlink(missing_ok=True)
    blobs.link(digest, target)
    return digest


def read_packages(path: Path) -> list[dict[str, Any]] | None:
    """The packages in a list; None where there is none that can be read."""
    packages = (read_json(path) or {}).get("packages")
    return packages if isinstance(packages, list) else None
