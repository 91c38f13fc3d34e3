"""Summaries with a tab of their own: text, graph, projector, mesh, hyperparameters."""

import math
import warnings

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from traindeck.trainers.hyperparameters import Value, write_hyperparameters
from traindeck.trainers.tour.moment import Moment

CLUSTERS = ("red", "green", "blue")
POINTS_PER_CLUSTER = 20
DIMENSIONS = 8
RINGS = 12
FACES_AROUND = 16


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
