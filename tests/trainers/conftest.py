"""What the tests of trainers train on: contexts of their own, and a handful of tiny images."""

from collections.abc import Callable
from pathlib import Path

import pytest

from traindeck.trainers.context import RunContext

MakeContext = Callable[..., RunContext]


@pytest.fixture
def make_context(tmp_path: Path) -> MakeContext:
    """Contexts that share a datasets folder; each call has a working folder of its own, and one CPU as a run has."""
    import torch

    torch.set_num_threads(1)

    def make(name: str = "run", kind: type[RunContext] = RunContext, resume_from: Path | None = None) -> RunContext:
        work = tmp_path / name
        work.mkdir()
        return kind(
            run_id=1,
            attempt=1,
            work=work,
            datasets=tmp_path / "datasets",
            progress_path=work / "progress.json",
            resume_from=resume_from,
        )

    return make


@pytest.fixture
def digit_folder(tmp_path: Path) -> str:
    """The name of a folder of 3 x 20 images of 12 x 12 pixels, below the datasets folder."""
    from PIL import Image, ImageDraw

    for label, colour in enumerate(("crimson", "seagreen", "navy")):
        folder = tmp_path / "datasets" / "colours" / colour
        folder.mkdir(parents=True)
        for index in range(20):
            image = Image.new("RGB", (12, 12), colour)
            ImageDraw.Draw(image).line((0, index % 12, 11, 11 - index % 12), fill="white", width=1 + label)
            image.save(folder / f"{index:02}.png")
    return "colours"
