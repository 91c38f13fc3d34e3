"""The program of the `tour` trainer: at each step, one of every kind of summary."""

import math
import time
import warnings
from dataclasses import dataclass

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from traindeck.trainers.context import RunContext
from traindeck.trainers.summaries import Value, write_completion, write_hyperparameters
from traindeck.trainers.tour import TourParams

SAMPLES = 1000
THRESHOLDS = 20
BINS = 30
CHARTS = {
    "Tour": {
        "Every wave": ["Multiline", ["Waves/.*"]],
        "Loss between its bounds": ["Margin", ["Loss/tour", "Loss/lower bound", "Loss/upper bound"]],
    }
}
"""The layout of the custom scalars tab: title of a chart, its kind, and the tags it is drawn from."""
PIXELS = 64
FRAMES = 8
SAMPLE_RATE = 22_050
"""Audio samples for each second."""
CLUSTERS = ("red", "green", "blue")
POINTS_PER_CLUSTER = 20
DIMENSIONS = 8
RINGS = 12
FACES_AROUND = 16
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Moment:
    """What the summaries of one step are drawn from.

    Attributes:
        step: 0 for the first.
        share: How far the tour has come, from 0 to 1.
        random: The tour's own source of random numbers.
    """

    step: int
    share: float
    random: torch.Generator

    def normal(self, *shape: int) -> torch.Tensor:
        """Normally distributed numbers, float32."""
        return torch.randn(*shape, generator=self.random)

    def uniform(self, *shape: int) -> torch.Tensor:
        """Numbers between 0 and 1, float32."""
        return torch.rand(*shape, generator=self.random)


def scalar(writer: SummaryWriter, moment: Moment) -> None:
    """A falling loss with bounds, and two waves."""
    loss = math.exp(-3 * moment.share)
    writer.add_scalar("Loss/tour", loss, moment.step)
    writer.add_scalar("Loss/lower bound", 0.8 * loss, moment.step)
    writer.add_scalar("Loss/upper bound", 1.2 * loss, moment.step)
    for name, wave in (("sine", math.sin), ("cosine", math.cos)):
        writer.add_scalar(f"Waves/{name}", wave(2 * math.pi * moment.share), moment.step)


def scalars(writer: SummaryWriter, moment: Moment) -> None:
    """Two lines in one chart."""
    values = {"train": math.exp(-3 * moment.share), "validation": 0.1 + math.exp(-2 * moment.share)}
    writer.add_scalars("Loss of both", values, moment.step)


def custom_scalars(writer: SummaryWriter, moment: Moment) -> None:
    """The layout of the custom scalars tab, once."""
    if moment.step == 0:
        writer.add_custom_scalars(CHARTS)


def tensor(writer: SummaryWriter, moment: Moment) -> None:
    """A tensor of three numbers."""
    writer.add_tensor("Tensor", torch.tensor([moment.step, moment.share, 1 - moment.share]), moment.step)


def histogram(writer: SummaryWriter, moment: Moment) -> None:
    """A distribution that wanders and narrows."""
    values = 3 * moment.share + (1.5 - moment.share) * moment.normal(SAMPLES)
    writer.add_histogram("Histogram", values, moment.step)


def histogram_raw(writer: SummaryWriter, moment: Moment) -> None:
    """A distribution given by its bins."""
    values = moment.uniform(SAMPLES) ** (1 + moment.share)
    counts, edges = torch.histogram(values, bins=BINS, range=(0.0, 1.0))
    writer.add_histogram_raw(
        "Histogram from bins",
        min=values.min().item(),
        max=values.max().item(),
        num=SAMPLES,
        sum=values.sum().item(),
        sum_squares=values.square().sum().item(),
        bucket_limits=edges[1:].tolist(),
        bucket_counts=counts.tolist(),
        global_step=moment.step,
    )


def pr_curve(writer: SummaryWriter, moment: Moment) -> None:
    """A classifier that gets better."""
    labels = moment.uniform(SAMPLES) < 0.5
    sureness = (0.5 + (labels.float() - 0.5) * moment.share + 0.25 * moment.normal(SAMPLES)).clamp(0, 1)
    writer.add_pr_curve("Precision and recall", labels, sureness, moment.step)


def pr_curve_raw(writer: SummaryWriter, moment: Moment) -> None:
    """A curve given by its counts at each threshold."""
    kept = torch.linspace(1, 0, THRESHOLDS)
    true, false = (500 * kept ** (1 - 0.8 * moment.share)).round(), (500 * kept**2).round()
    writer.add_pr_curve_raw(
        "Precision and recall from counts",
        true_positive_counts=true,
        false_positive_counts=false,
        true_negative_counts=500 - false,
        false_negative_counts=500 - true,
        precision=true / (true + false).clamp(min=1),
        recall=true / 500,
        global_step=moment.step,
        num_thresholds=THRESHOLDS,
    )


def gradient(moment: Moment, phase: float = 0.0) -> torch.Tensor:
    """Return a coloured picture that moves with the tour: float32, 0 to 1, [3, PIXELS, PIXELS]."""
    axis = torch.linspace(0, 1, PIXELS)
    turn = 2 * math.pi * (moment.share + phase)
    waves = (0.5 + 0.5 * torch.sin(turn + 6 * axis), 0.5 + 0.5 * torch.cos(turn + 6 * axis))
    red, green = waves[0].expand(PIXELS, -1), waves[1].expand(PIXELS, -1).T
    return torch.stack([red, green, (red + green) / 2])


def image(writer: SummaryWriter, moment: Moment) -> None:
    """One picture."""
    writer.add_image("Image", gradient(moment), moment.step)


def images(writer: SummaryWriter, moment: Moment) -> None:
    """Four pictures in a grid."""
    pictures = torch.stack([gradient(moment, phase / 4) for phase in range(4)])
    writer.add_images("Images", pictures, moment.step)


def image_with_boxes(writer: SummaryWriter, moment: Moment) -> None:
    """A picture with two labelled boxes."""
    left = 4 + 20 * moment.share
    boxes = torch.tensor([[left, 6, left + 20, 26], [30, 34, 58, 58]])
    writer.add_image_with_boxes("Image with boxes", gradient(moment), boxes, moment.step, labels=["moves", "stays"])


def figure(writer: SummaryWriter, moment: Moment) -> None:
    """A drawing of matplotlib's."""
    drawing = Figure(figsize=(4, 3), dpi=80, layout="constrained")
    FigureCanvasAgg(drawing)
    angles = torch.linspace(0, 2 * math.pi, 200)
    axes = drawing.add_subplot()
    axes.plot(angles.numpy(), torch.sin(angles + 2 * math.pi * moment.share).numpy())
    axes.set_title(f"Step {moment.step}")
    writer.add_figure("Figure", drawing, moment.step)


def video(writer: SummaryWriter, moment: Moment) -> None:
    """Eight frames, shown in two seconds."""
    frames = torch.stack([gradient(moment, frame / FRAMES) for frame in range(FRAMES)])
    writer.add_video("Video", frames[None], moment.step, fps=4)


def audio(writer: SummaryWriter, moment: Moment) -> None:
    """Half a second of a tone that rises from step to step by an octave in all."""
    seconds = torch.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    tone = 0.4 * torch.sin(2 * math.pi * 440 * 2**moment.share * seconds)
    writer.add_audio("Tone", tone[None], moment.step, sample_rate=SAMPLE_RATE)


def text(writer: SummaryWriter, moment: Moment) -> None:
    """A line of Markdown."""
    writer.add_text("Text", f"Step **{moment.step}**: {moment.share:.0%} of the *tour* is done.", moment.step)


def graph(writer: SummaryWriter, moment: Moment) -> None:
    """A small network, once."""
    if moment.step == 0:
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 2))
        with warnings.catch_warnings():
            # SummaryWriter traces the model with torch.jit, which announces its own retirement.
            warnings.simplefilter("ignore")
            writer.add_graph(network, torch.zeros(1, 3, 8, 8))


def embedding(writer: SummaryWriter, moment: Moment) -> None:
    """Three coloured clusters that part, at the first step and halfway."""
    if moment.share not in (0.0, 0.5):
        return
    labels = [name for name in CLUSTERS for _ in range(POINTS_PER_CLUSTER)]
    colours = torch.eye(3).repeat_interleave(POINTS_PER_CLUSTER, 0)
    centres = (1 + 4 * moment.share) * colours @ moment.normal(3, DIMENSIONS)
    points = centres + moment.normal(len(labels), DIMENSIONS)
    sprites = colours[:, :, None, None].expand(-1, -1, 8, 8)
    writer.add_embedding(points, labels, sprites, moment.step, tag="Clusters")


def mesh(writer: SummaryWriter, moment: Moment) -> None:
    """A ring whose colours turn."""
    vertices, faces = _torus()
    turn = 2 * math.pi * moment.share
    shade = 0.5 + 0.5 * torch.sin(turn + torch.atan2(vertices[:, 1], vertices[:, 0]))
    colours = torch.stack([shade, 1 - shade, torch.full_like(shade, 0.5)], dim=1).mul(255).to(torch.uint8)
    writer.add_mesh("Mesh", vertices[None], colours[None], faces[None], global_step=moment.step)


def hyperparameters(writer: SummaryWriter, moment: Moment) -> None:
    """A row of the hyperparameter table, once."""
    if moment.step == 0:
        values: dict[str, Value] = {"learning rate": 0.1, "optimizer": "none", "layers": 4, "dropout": True}
        write_hyperparameters(writer, values, ["Loss/tour"])


def _torus() -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices, float32 [count, 3], and triangles of them, int32 [count, 3]."""
    u = torch.arange(RINGS).repeat_interleave(FACES_AROUND)
    v = torch.arange(FACES_AROUND).repeat(RINGS)
    around, across = 2 * math.pi * u / RINGS, 2 * math.pi * v / FACES_AROUND
    radius = 2 + 0.7 * across.cos()
    vertices = torch.stack([radius * around.cos(), radius * around.sin(), 0.7 * across.sin()], dim=1)
    here, beside = u * FACES_AROUND + v, u * FACES_AROUND + (v + 1) % FACES_AROUND
    next_here = (here + FACES_AROUND) % (RINGS * FACES_AROUND)
    next_beside = (beside + FACES_AROUND) % (RINGS * FACES_AROUND)
    triangles = [torch.stack([here, beside, next_here], 1), torch.stack([beside, next_beside, next_here], 1)]
    return vertices, torch.cat(triangles).int()


KINDS = (
    *(scalar, scalars, custom_scalars, tensor, histogram, histogram_raw, pr_curve, pr_curve_raw),
    *(image, images, image_with_boxes, figure, video, audio),
    *(text, graph, embedding, mesh, hyperparameters),
)


def run(ctx: RunContext, params: TourParams) -> None:
    """Write every kind at each of the steps, spread over the seconds asked for."""
    random = torch.Generator().manual_seed(params.seed)
    began = time.monotonic()
    for step in range(params.steps):
        moment = Moment(step, step / params.steps, random)
        for write in KINDS:
            write(ctx.writer, moment)
        ctx.progress(step + 1, params.steps)
        _rest(ctx, began + params.seconds * (step + 1) / params.steps)
        if ctx.should_stop:
            return
    write_completion(ctx.writer)


def _rest(ctx: RunContext, until: float) -> None:
    """Wait for the moment `until` of the monotonic clock, or for the run to be asked to stop."""
    while time.monotonic() < until and not ctx.should_stop:
        time.sleep(POLL_SECONDS)
