"""Makes tiny installed packages that offer trainers, as pip would leave them on the path."""

import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAINER = """
from pydantic import BaseModel
from traindeck.trainers import Trainer

class Params(BaseModel, extra="forbid"):
    rounds: int = 3

def run(context, params):
    pass

trainer = Trainer(name={name!r}, title={title!r}, description="", params=Params, run=run)
"""


class Site:
    """A folder on the path with installed packages in it, for this process and for those that it starts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv("PYTHONPATH", f"{folder}:{ROOT / 'backend'}")
        self._modules = set(sys.modules)

    def install(self, package: str, entry_points: dict[str, str], source: str = "", *requires: str) -> None:
        """Add a distribution, and a module of the package's name with `source` unless that is empty."""
        info = self.folder / f"{package}-1.0.dist-info"
        info.mkdir()
        required = "".join(f"Requires-Dist: {line}\n" for line in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n{required}")
        lines = [f"{name} = {value}" for name, value in entry_points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[traindeck.trainers]", *lines]))
        if source:
            (self.folder / f"{package}.py").write_text(source)

    def install_traindeck(self) -> None:
        """Add Traindeck itself, with the entry points that its project file declares."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        self.install("traindeck", project["entry-points"]["traindeck.trainers"])

    def close(self) -> None:
        """Forget the modules that were imported from here."""
        for name in set(sys.modules) - self._modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(self.folder):
                del sys.modules[name]
