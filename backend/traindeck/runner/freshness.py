"""What a warm process has imported, so that the server can see whether an import would still find the same.

Packages are installed, replaced and edited while the process lives. A folder of packages changes its time with each
that comes or goes; its metadata says which. Sources that lie elsewhere, as of an editable install, count one by one.
"""

import os
import site
import sys
import sysconfig
import zlib

METADATA = (".dist-info", ".egg-info", ".egg-link", ".pth")

Stamp = list[int]


def stamps_of_folders() -> dict[str, Stamp]:
    """Return the state of each folder that packages are imported from; to be taken before anything is imported."""
    folders = [path for path in sys.path[1:] if os.path.isdir(path) and not _is_standard(path)]  # noqa: PTH112
    if site.ENABLE_USER_SITE and (user := site.getusersitepackages()) not in folders:
        # It may not be there yet: the first `pip install --user` makes it.
        folders.append(user)
    return {folder: stamp_of_folder(folder) for folder in folders}


def stamps_of_modules() -> dict[str, Stamp]:
    """The state of the file of each imported module, but for the standard library's, and of what extends `sys.path`."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    absolute = [file for file in files if isinstance(file, str) and os.path.isabs(file) and not _is_standard(file)]  # noqa: PTH117
    return {file: stamp_of_file(file) for file in [*absolute, *_path_files()]}


def stamp_of_folder(folder: str) -> Stamp:
    """Time of change in nanoseconds, and a number for the packages in it; -1 where there is none."""
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
        with os.scandir(folder) as entries:
            packages = [(entry.name, entry.stat().st_mtime_ns) for entry in entries if entry.name.endswith(METADATA)]
    except OSError:
        return [-1, -1]
    return [changed, _digest(packages)]


def stamp_of_file(file: str) -> Stamp:
    """Time of change in nanoseconds, and bytes; -1 where there is none."""
    try:
        info = os.stat(file)  # noqa: PTH116
    except OSError:
        return [-1, -1]
    return [info.st_mtime_ns, info.st_size]


def _path_files() -> list[str]:
    folders = [path for path in sys.path[1:] if path.endswith(("site-packages", "dist-packages"))]
    files: list[str] = []
    for folder in folders:
        with os.scandir(folder) as entries:
            files += (entry.path for entry in entries if entry.name.endswith(".pth"))
    return files


def _digest(packages: list[tuple[str, int]]) -> int:
    # Not hash(): it differs between the two processes that compare.
    return zlib.crc32(repr(sorted(packages)).encode())


def _is_standard(path: str) -> bool:
    if "site-packages" in path or "dist-packages" in path:
        return False
    standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return path.startswith(standard) or path.endswith(".zip")
