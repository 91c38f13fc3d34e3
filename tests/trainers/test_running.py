"""What a trainer that fails leaves in the log of its run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trainers.packages import TRAINER, Site

RUN = """
import sys
from pathlib import Path
from traindeck.runner.finish import end_process
from traindeck.runner.order import read_order
from traindeck.trainers.running import run_trainer

order = read_order(Path(sys.argv[1]))
end_process(lambda: run_trainer(order))
"""
FAILING = (
    TRAINER.format(name="failing", title="Failing").replace("    pass\n", "    helper(params)\n")
    + """
def helper(params):
    raise ValueError(f"not a number after {params.rounds} rounds")
"""
)


def run(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Run the trainer `name` in a process of its own, as the fork of an attempt does."""
    (folder / "attempt" / "work").mkdir(parents=True)
    order = folder / "order.json"
    facts = {"run_id": 1, "attempt": 1, "mark": "", "datasets": str(folder), "grace_seconds": 1.0}
    order.write_text(json.dumps({**facts, "folder": str(folder / "attempt"), "trainer": name, "params": {"rounds": 2}}))
    return subprocess.run(
        [sys.executable, "-c", RUN, str(order)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_trainers_traceback_begins_at_its_own_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path / "site", monkeypatch)
    site.install("failing", {"failing": "failing:trainer"}, FAILING)
    done = run(tmp_path, "failing")
    frames = [line.rpartition(" in ")[2] for line in done.stderr.splitlines() if line.startswith('  File "')]
    assert frames == ["run", "helper"]
    assert done.stderr.splitlines()[-1] == "ValueError: not a number after 2 rounds"
    assert done.returncode == 1


def test_a_trainer_that_cannot_be_imported_shows_no_frame_of_the_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path / "site", monkeypatch)
    site.install("unlicensed", {"unlicensed": "unlicensed:trainer"}, "raise RuntimeError('no licence')")
    done = run(tmp_path, "unlicensed")
    assert "unlicensed.py" in done.stderr
    assert "traindeck/runner" not in done.stderr
    assert "training.py" not in done.stderr
    assert done.returncode == 1
