"""Says what an interpreter is and which packages it finds, as JSON on the last line of standard output.

Its source is handed to the interpreter in question by `python -c`, which may be another than the deck's, has none of
the deck's packages, and may be as old as Python 3.8. It imports nothing but the standard library; torch is looked at
as a file.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


def facts() -> dict[str, Any]:
    """What there is to say: version, executable, packages, torch, and the folders whose change makes it stale."""
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "torch": torch(),
        "packages": packages(),
        "folders": [folder for folder in sys.path if Path(folder).is_dir()],
    }


def packages() -> list[dict[str, Any]]:
    """Every distribution that an import may find, by its normalised name; the first of a name counts."""
    found: dict[str, dict[str, Any]] = {}
    for distribution in metadata.distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except Exception:  # noqa: S112 (one broken package is no reason to know nothing of the others)
            continue
        if name:
            normal = re.sub(r"[-_.]+", "-", str(name)).lower()
            found.setdefault(normal, {"name": normal, "version": str(version), **origin(distribution)})
    return [found[name] for name in sorted(found)]


def origin(distribution: metadata.Distribution) -> dict[str, Any]:
    """Where it came from, other than from an index (PEP 610): an editable folder, a repository at a commit."""
    try:
        content = json.loads(distribution.read_text("direct_url.json") or "{}")
        editable = bool((content.get("dir_info") or {}).get("editable"))
        url, commit = content.get("url"), (content.get("vcs_info") or {}).get("commit_id")
    except Exception:  # Whatever a package wrote there, it is installed.
        return {"editable": False, "origin": None}
    return {"editable": editable, "origin": f"{url}@{commit}" if commit else url}


def torch() -> dict[str, str | None] | None:
    """Torch's version and what it was built with, from the text of torch/version.py; None without torch."""
    try:
        spec = importlib.util.find_spec("torch")
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")  # type: ignore[union-attr,arg-type]
    except Exception:  # Not installed, a namespace package, or a folder of the user's by that name.
        return None
    return {"version": value(text, "__version__"), "cuda": value(text, "cuda"), "hip": value(text, "hip")}


def value(text: str, name: str) -> str | None:
    """The string that `text` assigns to `name` at the start of a line; None where it is none."""
    match = re.search(rf"^{name}\s*(?::[^=\n]*)?=\s*['\"]([^'\"\n]*)['\"]", text, re.MULTILINE)
    return match.group(1) if match else None


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    sys.path[:] = [folder for folder in sys.path if folder]
    sys.stdout.write("\n" + json.dumps(facts()))
