"""The cases of the differential suite: each script, with each of its arguments, each module."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Case:
    """One program: a file, or a module of a package, with arguments; `copied` is what stands in its folder."""

    name: str
    copied: Path
    entry: str
    args: tuple[str, ...] = ()
    module: bool = False

    @property
    def command(self) -> list[str]:
        """What follows `python`."""
        return [*(["-m", self.entry] if self.module else [self.entry]), *self.args]

    def command_in(self, folder: Path) -> list[str]:
        """Likewise, for the copy of the case in a folder: a file by its whole path, as the deck has it."""
        return self.command if self.module else [str(folder / self.entry), *self.args]


def find_cases() -> list[Case]:
    found = []
    for path in sorted(SCRIPTS.iterdir()):
        if (path / "modules.txt").exists():
            found += [_module(path, line) for line in (path / "modules.txt").read_text().splitlines()]
        elif path.is_dir():
            found.append(Case(path.name, path, "script.py"))
        else:
            found += _of_file(path)
    return found


def _module(folder: Path, line: str) -> Case:
    module, *args = shlex.split(line)
    return Case(f"module {line}", folder, module, tuple(args), module=True)


def _of_file(path: Path) -> list[Case]:
    declared = re.match(rb"# cases: (.*)\n", path.read_bytes())
    if declared is None:
        return [Case(path.stem, path, path.name)]
    lines = [line.strip() for line in declared.group(1).decode().split(" | ")]
    return [Case(f"{path.stem} {line}", path, path.name, tuple(shlex.split(line, posix='"' in line))) for line in lines]
