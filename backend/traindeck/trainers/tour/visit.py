"""The program of the `tour` trainer: at each step, one of every kind of summary."""

import time

import torch

from traindeck.trainers.context import RunContext
from traindeck.trainers.hyperparameters import write_completion
from traindeck.trainers.tour import curves, media, structures
from traindeck.trainers.tour.moment import Moment
from traindeck.trainers.tour.params import TourParams

POLL_SECONDS = 0.05

KINDS = (
    *(curves.scalar, curves.scalars, curves.custom_scalars, curves.tensor, curves.histogram),
    *(curves.histogram_raw, curves.pr_curve, curves.pr_curve_raw),
    *(media.image, media.images, media.image_with_boxes, media.figure, media.video, media.audio),
    *(structures.text, structures.graph, structures.embedding, structures.mesh, structures.hyperparameters),
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
