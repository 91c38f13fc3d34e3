"""Modules that a warm process has imported, and that a script's own file of the same name must win over."""

import os
import sys

STARTUP = frozenset(
    {"__main__", "_collections_abc", "_distutils_hack", "_sitebuiltins", "abc", "codecs", "encodings", "genericpath",
     "io", "os", "posixpath", "site", "sitecustomize", "stat", "usercustomize", "zipimport"}
)  # fmt: skip
"""What every Python has imported before it looks at a script: a file of such a name is not seen there either."""
SUFFIXES = (".py", ".pyc", ".so")


def forget_shadowed(folder: str) -> None:
    """Forget the imported modules whose names stand in `folder`, which is first in `sys.path`.

    Under `python script.py` a sibling `datasets.py` or `tqdm/` wins over an installed package; here that package may
    have been imported already. What has imported it keeps it.
    """
    names = _importable(folder) & _imported()
    if not names:
        return
    for module in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[module]


def _imported() -> set[str]:
    builtin = set(sys.builtin_module_names)
    return {name for name in sys.modules if "." not in name} - STARTUP - builtin


def _importable(folder: str) -> set[str]:
    found: set[str] = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return found
    for name in names:
        stem, dot, _ = name.partition(".")
        if dot:
            if name.endswith(SUFFIXES):
                found.add(stem)
        elif stem in sys.modules and os.path.exists(os.path.join(folder, name, "__init__.py")):  # noqa: PTH110, PTH118
            found.add(stem)
    return found
