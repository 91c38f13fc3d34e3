"""Print facts about an interpreter and its packages, as JSON on the last line of standard output.

Its source is passed to the interpreter by `python -c`. That interpreter may be another one than the deck's: without the
deck's packages, and as old as Python 3.8. So this imports only the standard library, and reads torch as a file.
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
    """Return version, executable, packages, torch, and the folders whose change makes these facts stale."""
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
    """Return every distribution that an import can find, by its normalized name; the first one of a name counts."""
    found: dict[str, dict[str, Any]] = {}
    for distribution in metadata.distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except Exception:  # noqa: S112 (one broken package must not hide the others)
            continue
        if name:
            normal = re.sub(r"[-_.]+", "-", str(name)).lower()
            found.setdefault(normal, {"name": normal, "version": str(version), **origin(distribution)})
    return [found[name] for name in sorted(found)]


def origin(distribution: metadata.Distribution) -> dict[str, Any]:
    """Return the origin of a distribution that is not from an index (PEP 610): an editable folder, or a commit."""
    try:
        content = json.loads(distribution.read_text("direct_url.json") or "{}")
        editable = bool((content.get("dir_info") or {}).get("editable"))
        url, commit = content.get("url"), (content.get("vcs_info") or {}).get("commit_id")
    except Exception:  # The package is installed, whatever its metadata contains.
        return {"editable": False, "origin": None}
    return {"editable": editable, "origin": f"{url}@{commit}" if commit else url}


def torch() -> dict[str, str | None] | None:
    """Return torch's version and build, from the text of torch/version.py; None without torch."""
    try:
        spec = importlib.util.find_spec("torch")
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")  # type: ignore[union-attr,arg-type]
    except Exception:  # Not installed, a namespace package, or another folder of that name.
        return None
    return {"version": value(text, "__version__"), "cuda": value(text, "cuda"), "hip": value(text, "hip")}


def value(text: str, name: str) -> str | None:
    """Return the string that `text` assigns to `name` at the start of a line; None if it is not a string."""
    match = re.search(rf"^{name}\s*(?::[^=\n]*)?=\s*['\"]([^'\"\n]*)['\"]", text, re.MULTILINE)
    return match.group(1) if match else None


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    sys.path[:] = [folder for folder in sys.path if folder]
    sys.stdout.write("\n" + json.dumps(facts()))
