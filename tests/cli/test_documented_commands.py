"""The commands in the docs are run, page by page, on a real deck, in a scratch folder.

A number from 41 to 45 stands for a run of one's own: 44 is one that trains for long, the others have ended.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.blocks import DOCS, PAGES, ROOT, Block, blocks_of
from support.logs import write_logs
from support.served import FINAL, ServedDeck
from support.waiting import wait_for

DEADLINE_SECONDS = 60
NUMBER = re.compile(r"\b4[1-5]\b")
LONG = "44"

TRAIN = """\
import argparse
import signal
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--resume")
parser.add_argument("--name")
parser.add_argument("--wait", action="store_true")


if __name__ == "__main__":
    args = parser.parse_args()
    Path("last.pt").write_bytes(b"weights")
    print(args, flush=True)
    if args.wait:
        signal.pause()
"""


class Desk:
    """A scratch folder with what the commands name, and a deck that they reach."""

    def __init__(self, deck: ServedDeck, folder: Path) -> None:
        self.deck = deck
        self.folder = folder
        self.numbers: dict[str, str] = {}

    def prepare(self) -> None:
        """Write the files that commands name."""
        for name in ("train.py", "project/train.py"):
            self.write(name, TRAIN)
        self.write("project/__init__.py", "")
        self.write("run.sh", "exec python train.py\n")
        with zipfile.ZipFile(self.folder / "project.zip", "w") as archive:
            archive.writestr("train.py", TRAIN)
        (self.folder / ".venv").symlink_to(sys.prefix)
        write_logs(self.folder / "runs" / "old", [0.5, 0.25])

    def write(self, name: str, content: str) -> None:
        """Write a file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def run(self, block: Block, page: Path) -> None:
        """Run the commands of a block, as a shell that ends at the first failure."""
        command = NUMBER.sub(lambda found: self.number_of(found[0]), block.content)
        address = self.deck.url.removeprefix("http://")
        command = command.replace("localhost:8000", address).replace("/home/me", str(self.folder))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        where = f"{page.relative_to(ROOT)}:{block.line}"
        assert done.returncode == 0, f"{where}\n{command}\n{done.stdout}\n{done.stderr}\n{self.deck.log}"
        assert '"status":4' not in done.stdout, f"{where}\n{command}\n{done.stdout}"
        self.settle()

    def number_of(self, written: str) -> str:
        """The run that a number stands for on this page."""
        if written not in self.numbers:
            args = ["--wait"] if written == LONG else ["--lr", f"0.{written}"]
            script = {"path": str(self.folder / "train.py"), "args": args, "resume_arg": "--resume"}
            run = self.deck.launch(script=script)
            self.deck.wait_for_status(run["id"], "running" if written == LONG else "completed")
            self.numbers[written] = str(run["id"])
        return self.numbers[written]

    def settle(self) -> None:
        """Stop what the commands left, so that the next ones find runs that have ended."""
        active = [run["id"] for run in self.runs() if run["status"] not in FINAL]
        for run_id in active:
            if str(run_id) != self.numbers.get(LONG):
                self.deck.client.post(f"/runs/{run_id}/cancel")
                wait_for(lambda run_id=run_id: self.deck.run(run_id)["status"] in FINAL, f"run {run_id} ends")

    def runs(self) -> list[dict]:
        return self.deck.client.get("/runs", params={"limit": 500}).json()["items"]

    def environment(self) -> dict[str, str]:
        left_out = ("TRAINDECK_URL", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONPATH")
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"HOME": str(self.folder), "PATH": path, "TRAINDECK_HOME": str(self.deck.home), "BROWSER": "true"}
        return {**kept, **own, "NO_PROXY": "*", "no_proxy": "*"}


def install_trainer(site: Path) -> None:
    """Install the package of the page on trainers in `site`, with the entry points of its pyproject.toml."""
    files = {block.file: block.content for block in blocks_of(DOCS / "how-to/write-a-trainer.md") if block.file}
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(content)
    facts = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["traindeck.trainers"].items()]
    (facts / "entry_points.txt").write_text("\n".join(["[traindeck.trainers]", *lines, ""]))


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """The deck of all pages. Its first run stands for the one that `make run` launches."""
    folder = tmp_path_factory.mktemp("docs")
    install_trainer(folder / "site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "site"), prepend=os.pathsep)
        deck = ServedDeck(folder / "home", cpus=2, grace_seconds=1)
        deck.start()
        deck.wait_until_warm()
        deck.wait_until_ended(deck.launch("print('a first run')")["id"])
        yield deck
        deck.end()


# The tutorial counts its runs from the first one on.
WITH_COMMANDS = sorted(
    (page for page in PAGES if any(block.language == "sh" for block in blocks_of(page))),
    key=lambda page: page.name != "tutorial.md",
)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_work(page: Path, deck: ServedDeck, tmp_path: Path) -> None:
    assert shutil.which("curl"), "curl is needed here"
    desk = Desk(deck, tmp_path)
    desk.prepare()
    for block in blocks_of(page):
        if block.file:
            desk.write(block.file, block.content)
        elif block.language == "sh" and block.reason is None:
            desk.run(block, page)
    if LONG in desk.numbers:
        deck.client.post(f"/runs/{desk.numbers[LONG]}/cancel")
