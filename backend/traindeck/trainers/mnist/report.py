"""Write the summaries of a run for TensorBoard, except the scalars of its steps."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from traindeck.trainers.datasets.images import ImageSet
from traindeck.trainers.mnist.evaluation import Evaluation
from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.mnist.pictures import captioned, confusion_figure, write_animation
from traindeck.trainers.mnist.training import Training
from traindeck.trainers.summaries import write_completion, write_hyperparameters

EXAMPLES = 32
EMBEDDED_IMAGES = 500
SPRITE_PIXELS = 28
CURVES = 20
"""Of more classes than this, the first have a precision-recall curve."""
RESULTS = ("Accuracy/validation", "Loss/validation", "Loss/train")


class Report:
    """Writes at the begin, after each epoch, and at the end."""

    def __init__(self, writer: SummaryWriter, images: ImageSet, params: MnistParams) -> None:
        self.writer = writer
        self.images = images
        self.params = params

    def begin(self, training: Training) -> None:
        """The configuration, the model and its graph, and what the images look like."""
        writer, step = self.writer, training.step
        write_hyperparameters(writer, self.params.model_dump(), RESULTS)
        writer.add_text("Configuration", configuration_table(self.params, self._facts(training)), step)
        example = self.images.validation_images[:1].to(training.device)
        training.model.eval()
        writer.add_text("Model", model_table(training.model, example), step)
        self._graph(training, example)
        training.model.train()
        names = [self.images.classes[label] for label in self.images.train_labels[:EXAMPLES].tolist()]
        writer.add_image("Examples", captioned(self.images.train_images[:EXAMPLES], names), step)

    def epoch(self, training: Training, evaluation: Evaluation) -> None:
        """Curves of both halves of the data, and everything that shows where the model still errs."""
        writer, step, train = self.writer, training.step, training.meter.epoch
        writer.add_scalar("Loss/validation", evaluation.loss, step)
        writer.add_scalar("Accuracy/validation", evaluation.accuracy, step)
        losses = {"train": train.mean_loss, "validation": evaluation.loss}
        accuracies = {"train": train.accuracy, "validation": evaluation.accuracy}
        writer.add_scalars("Loss by epoch", losses, training.epochs_done + 1)
        writer.add_scalars("Accuracy by epoch", accuracies, training.epochs_done + 1)
        self._mistakes(evaluation, step)
        self._curves(evaluation, step)
        write_animation(writer, "First layer kernels", torch.stack(training.kernel_frames), step, frame_seconds=0.5)

    def end(self, training: Training) -> None:
        """The embedding of what has been learnt, and that the run is complete."""
        self._embedding(training)
        write_completion(self.writer)

    def _facts(self, training: Training) -> list[tuple[str, object]]:
        return [
            ("Training images", f"{len(self.images.train_images):,}"),
            ("Validation images", f"{len(self.images.validation_images):,}"),
            ("Classes", ", ".join(self.images.classes[:20])),
            ("Steps in all", f"{training.total_steps:,}"),
            ("Computed on", training.device),
            ("torch", torch.__version__),
        ]

    def _graph(self, training: Training, example: torch.Tensor) -> None:
        with warnings.catch_warnings():
            # SummaryWriter traces the model with torch.jit, which announces its own retirement.
            warnings.simplefilter("ignore")
            self.writer.add_graph(training.model, example)

    def _mistakes(self, evaluation: Evaluation, step: int) -> None:
        classes = self.images.classes
        worst = evaluation.worst_mistakes(EXAMPLES)
        labels, guesses = evaluation.labels[worst].tolist(), evaluation.predictions[worst].tolist()
        pairs = zip(labels, guesses, strict=True)
        captions = [f"{classes[label]} as {classes[guess]}" for label, guess in pairs]
        picture = captioned(self.images.validation_images[worst], captions)
        self.writer.add_image("Worst mistakes", picture, step)
        self.writer.add_figure("Confusion matrix", confusion_figure(evaluation.confusion(), classes), step)

    def _curves(self, evaluation: Evaluation, step: int) -> None:
        for label, name in enumerate(self.images.classes[:CURVES]):
            is_class, sureness = evaluation.labels == label, evaluation.probabilities[:, label]
            self.writer.add_pr_curve(f"Precision and recall/{name}", is_class, sureness, step)

    def _embedding(self, training: Training) -> None:
        shown = self.images.validation_images[:EMBEDDED_IMAGES]
        training.model.eval()
        with torch.inference_mode():
            features = training.model.features(shown.to(training.device)).float().cpu().nan_to_num(0, 0, 0)
        training.model.train()
        sprites = torch.nn.functional.interpolate(shown.float() / 255, size=(SPRITE_PIXELS, SPRITE_PIXELS))
        labels = self.images.validation_labels[:EMBEDDED_IMAGES].tolist()
        self.writer.add_embedding(
            features,
            metadata=[self.images.classes[label] for label in labels],
            label_img=sprites,
            global_step=training.step,
            tag="Validation images",
        )


def configuration_table(params: MnistParams, facts: Iterable[tuple[str, object]]) -> str:
    """Return all parameters by their titles, and `facts` that follow from the data and the machine."""
    fields = type(params).model_fields
    rows = [(fields[name].title or name, value) for name, value in params.model_dump().items()]
    return table(("Parameter", "Value"), [*rows, *facts])


def model_table(model: nn.Module, example: torch.Tensor) -> str:
    """Return each layer with the shape of what it gives for `example`, and its number of parameters."""
    rows: list[tuple[object, ...]] = []
    layers = [(name, layer) for name, layer in model.named_modules() if not list(layer.children())]

    def record(name: str) -> Any:
        def hook(layer: nn.Module, _: object, output: torch.Tensor) -> None:
            count = sum(parameter.numel() for parameter in layer.parameters())
            rows.append((name, type(layer).__name__, " × ".join(map(str, output.shape[1:])), f"{count:,}"))

        return hook

    handles = [layer.register_forward_hook(record(name)) for name, layer in layers]
    with torch.inference_mode():
        model(example)
    for handle in handles:
        handle.remove()
    total = sum(parameter.numel() for parameter in model.parameters())
    return table(("Layer", "Kind", "Output", "Parameters"), [*rows, ("", "", "Total", f"{total:,}")])


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
