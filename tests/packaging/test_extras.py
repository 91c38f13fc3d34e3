"""The wheel in an environment that has neither extra: what works, and what the rest says."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

BUILT_IN = """
import json
from traindeck.trainers.registry import UnknownTrainer, load_trainers
registry = load_trainers()
try:
    registry.get("tour")
except UnknownTrainer as error:
    print(json.dumps({"trainers": sorted(registry.trainers), "error": str(error)}))
"""

ANIMATION = """
import torch
from torch.utils.tensorboard import SummaryWriter
from traindeck.trainers.mnist.pictures import write_animation
import traindeck.trainers.mnist.train
writer = SummaryWriter("logs")
write_animation(writer, "Kernels", torch.zeros(2, 3, 4, 4, dtype=torch.uint8), 0, 0.5)
writer.close()
"""


def test_the_tour_names_the_command_that_installs_what_it_needs(installed_without_extras: Any, tmp_path: Path) -> None:
    found = json.loads(installed_without_extras.run(installed_without_extras.python, "-c", BUILT_IN, cwd=tmp_path))
    assert found["trainers"] == ["mnist"]
    assert 'pip install "traindeck[tour]"' in found["error"]
    assert "moviepy<2" in found["error"]


def test_with_the_extra_the_tour_is_offered(installed: Any, tmp_path: Path) -> None:
    script = "from traindeck.trainers.registry import load_one; print(load_one('tour').extra)"
    assert installed.run(installed.python, "-c", script, cwd=tmp_path) == "tour\n"


def test_the_convnet_trainer_needs_no_extra(installed_without_extras: Any, tmp_path: Path) -> None:
    installed_without_extras.run(installed_without_extras.python, "-c", ANIMATION, cwd=tmp_path)
    (events,) = (tmp_path / "logs").iterdir()
    assert b"GIF89a" in events.read_bytes()


def test_a_missing_npm_says_what_to_install(
    installed_without_extras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    check = "from traindeck.cli.checks import check_npm; print(check_npm())"
    assert "ok=True" in installed_without_extras.run(installed_without_extras.python, "-c", check, cwd=tmp_path)
    ask = "from traindeck.trainers.datasets.fetched import npm_command\ntry: npm_command()\nexcept Exception as e: print(e)"
    said = installed_without_extras.run(installed_without_extras.python, "-c", ask, cwd=tmp_path)
    assert 'pip install "traindeck[npm]"' in said
