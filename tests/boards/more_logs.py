"""Event files that ask more of a reader than a well-behaved script's: long, mixed, old, torn, started again."""

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary

from traindeck.events.records import masked_crc

NAME = "events.out.tfevents.1700000000.host.1.0"
LONG_STEPS = 2_500
PICTURES = 2_000
EPOCHS, EPOCH_BATCHES = 12, 1_001
EDGES = [-4.0, -1.0, 0.0, 1.0, 4.0]


def value(tag: str, number: float) -> Any:
    """One plain number under a tag."""
    return Summary.Value(tag=tag, simple_value=number)


def point(step: int, *values: Any) -> Any:
    """An event with these values, a second after the step before."""
    return Event(step=step, wall_time=1.7e9 + step, summary=Summary(value=values))


def write_events(folder: Path, events: list[Any], name: str = NAME, version: int | None = 2) -> Path:
    """An event file of exactly these events, after the one that tells its version."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("wb") as file:
        if version is not None:
            file.write(_framed(Event(wall_time=1.7e9, file_version=f"brain.Event:{version}")))
        file.writelines(map(_framed, events))
    return folder / name


def _framed(event: Any) -> bytes:
    """The event as a record; TensorBoard's own writer works out checksums in Python, byte by byte."""
    content: bytes = event.SerializeToString()
    length = struct.pack("<Q", len(content))
    checksums = [struct.pack("<I", masked_crc(data)) for data in (length, content)]
    return length + checksums[0] + content + checksums[1]


def write_long(work: Path) -> None:
    """More of everything than TensorBoard keeps."""
    events = []
    for step in range(LONG_STEPS):
        events += [point(step, value("loss", 1 / (step + 1))), point(step, value("accuracy", step / LONG_STEPS))]
        if step % 3 == 0:
            events.append(point(step, value("a/tag that is longer than eight bytes", np.sin(step))))
    write_events(work / "long", events)


def write_pictures(work: Path) -> None:
    """An image at each of many steps, histograms, sound and curves at more steps than are kept."""
    import torch
    from torch.utils.tensorboard import SummaryWriter

    random = np.random.default_rng(1)
    image = random.random((3, 2, 2))
    with SummaryWriter(str(work / "pictures")) as writer:
        for step in range(PICTURES):
            writer.add_image("tile", np.roll(image, step), step)
            writer.add_scalar("loss", 1 / (step + 1), step)
            if step < 510:
                writer.add_histogram("weights", random.normal(size=8), step, bins=EDGES)
            if step < 20:
                writer.add_audio("tone", torch.sin(torch.arange(40) / 5)[None], step, sample_rate=8000)
                writer.add_images("batch", random.random((3, 3, 2, 2)), step)
            if step < 110:
                writer.add_pr_curve("curve", random.integers(0, 2, 8), random.random(8), step, num_thresholds=5)


def write_groups(work: Path) -> None:
    """Several curves in one chart, text in Markdown, a figure, and scalars written as tensors."""
    from matplotlib.figure import Figure
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(work / "groups")) as writer:
        for step in range(5):
            writer.add_scalars("losses", {"train": 1 / (step + 1), "test": 2 / (step + 1)}, step)
            writer.add_scalar("as a tensor", step / 7, step, new_style=True)
            writer.add_scalar("as doubles", step / 7, step, new_style=True, double_precision=True)
        writer.add_text("notes", "# Title\n\n| a | b |\n|---|---|\n| 1 | *2* |\n\n<script>alert(1)</script>", 1)
        figure = Figure(figsize=(1, 1))
        figure.subplots().plot([1, 3, 2])
        writer.add_figure("figure", figure, 1)


def write_sweep(work: Path) -> None:
    """Three runs with hyperparameters and what came of them."""
    from torch.utils.tensorboard import SummaryWriter

    for number, rate in enumerate((0.1, 0.01, 0.001)):
        with SummaryWriter(str(work / "sweep" / str(number))) as writer:
            values = {"rate": rate, "optimizer": "adam" if number else "sgd", "nesterov": bool(number)}
            writer.add_hparams(values, {"hparam/accuracy": 0.9 - rate, "hparam/loss": rate}, run_name="trial")


def write_odd(work: Path) -> None:
    """Logs that a reader of columns might get wrong."""
    steps = range(1_200)
    restart = Event(step=900, wall_time=1.7e9, session_log=SessionLog(status=SessionLog.START))
    again = [point(step, value("loss", step)) for step in steps]
    write_events(work / "odd" / "restarted", [restart, *again, restart, *again[900:1_100]])
    early = Event(step=40, wall_time=1.7e9, session_log=SessionLog(status=SessionLog.START))
    write_events(work / "odd" / "restarted early", [early, *again[:80], early, *again[40:]])
    back = [*again[:50], *again[20:40], *(point(step, value("other", step)) for step in range(30))]
    write_events(work / "odd" / "version 1", back, version=1)
    write_events(work / "odd" / "no version", back, version=None)
    _write_old(work / "odd" / "old")
    merged = [point(step, value("loss", step), value("accuracy", -step)) for step in steps]
    write_events(work / "odd" / "several in one event", merged)
    alternating = [e for pair in zip(merged, again, strict=True) for e in pair]
    write_events(work / "odd" / "alone and together", alternating)
    backwards = [point(-step, value("negative", float("nan") if step % 2 else float("inf"))) for step in steps]
    write_events(work / "odd" / "negative steps", backwards)
    words = [point(step, value("größe €", step), value("", step)) for step in range(30)]
    write_events(work / "odd" / "words", [*words, *(point(step, value("größe €", step)) for step in range(30, 90))])
    _write_two_kinds(work / "odd" / "two kinds", again[:200])


def _write_old(folder: Path) -> None:
    """A scalar at each step, and a histogram at some; where training began again, only a step back tells."""
    events = []
    for step in [*range(100), *range(60, 120)]:
        events.append(point(step, value("loss", step)))
        if step % 10 == 0:
            histogram = Summary.Value(tag="weights")
            histogram.histo.bucket_limit[:], histogram.histo.bucket[:] = [1.0, 2.0], [step, 1.0]
            events.append(point(step, histogram))
        if step % 7 == 0:
            events.append(point(step - 3, value("accuracy", step)))
    for version in (None, 1, 2):
        write_events(folder / str(version), events, version=version)


def write_growing(work: Path) -> None:
    """One tag that is a number at first, then a tensor, next to others; and one that is a number again after that."""
    import torch
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(work / "growing")) as writer:
        for step in range(5):
            writer.add_scalar("weight", 1, step)
            writer.add_scalar("loss", 1 / (step + 1), step)
            writer.add_scalar("norm", step, step)
        writer.add_tensor("weight", torch.ones(3), 5)
        writer.add_tensor("norm", torch.ones(3), 5)
        writer.add_scalar("norm", 6, 6)


def _write_two_kinds(folder: Path, points: list[Any]) -> None:
    """One tag with text and numbers, in two files of one folder."""
    text = Summary.Value(tag="loss")
    text.metadata.plugin_data.plugin_name = "text"
    text.tensor.dtype = 7
    text.tensor.string_val.append(b"words")
    write_events(folder, [*points[:100], point(100, text), *points[101:]])
    write_events(folder, [point(1_000, text), *points], NAME.replace("1700000000", "1700000001"))


def write_broken(work: Path) -> None:
    """Files that are torn, corrupt in the middle, or of something else."""
    points = [point(step, value("loss", step)) for step in range(300)]
    torn = write_events(work / "broken" / "torn", points)
    torn.write_bytes(torn.read_bytes()[:-5])
    corrupt = write_events(work / "broken" / "corrupt", points)
    content = bytearray(corrupt.read_bytes())
    content[len(content) // 2] ^= 0x10
    corrupt.write_bytes(content)
    (work / "broken" / "noise").mkdir()
    (work / "broken" / "noise" / NAME).write_bytes(np.random.default_rng(0).bytes(100_000))


def write_trace(work: Path) -> None:
    """What torch.profiler leaves for TensorBoard: a trace below plugins/, which no tab of today shows."""
    import torch
    from torch.profiler import profile, tensorboard_trace_handler

    with profile(on_trace_ready=tensorboard_trace_handler(str(work / "traced"))):
        torch.ones(4).sum()
    write_events(work / "traced", [point(step, value("loss", step)) for step in range(3)])


def write_tour(work: Path) -> None:
    """What the built-in trainer `tour` writes: something for each tab."""
    from traindeck.trainers.context import RunContext
    from traindeck.trainers.tour import TourParams
    from traindeck.trainers.tour.visit import run

    folder = work / "tour"
    folder.mkdir()
    context = RunContext(
        run_id=1, attempt=1, work=folder, datasets=work / "datasets", progress_path=folder / "progress.json"
    )
    run(context, TourParams(steps=6, seconds=0))
    context.close()


def write_classifier(work: Path) -> None:
    """A small classifier's usual log: a loss at each of very many steps, and once in an epoch everything else."""
    import torch
    from torch import nn
    from torch.utils.tensorboard import SummaryWriter

    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 26 * 26, 10))
    images = torch.rand(4, 1, 28, 28)
    with SummaryWriter(str(work / "classifier" / "runs" / "Nov23_10-00-00_host")) as writer:
        with warnings.catch_warnings():
            # add_graph traces, and torch says that tracing is to go.
            warnings.simplefilter("ignore")
            writer.add_graph(network, images)
        for epoch in range(EPOCHS):
            for kernel, weights in enumerate(network[0].weight):
                writer.add_histogram(f"layer_0/kernel_{kernel}", weights.flatten(), epoch, bins="tensorflow")
            writer.add_histogram("layer_3", network[3].weight.flatten(), epoch, bins="tensorflow")
            writer.add_image("Example input", images[epoch % 4], epoch)
            for batch in range(EPOCH_BATCHES):
                writer.add_scalar("Loss/Minibatches", 2.3 / (1 + batch % 100), epoch * EPOCH_BATCHES + batch)
            writer.add_scalar("Loss/Epochs", 1 / (1 + epoch), epoch)
