"""Which scalars are shown first."""

import pytest

from traindeck.pages.metrics import key_metric, main_tags
from traindeck.pages.numbers import show_value
from traindeck.runs.directions import Better
from traindeck.runs.view import MetricView

CONVNET = [
    "Accuracy by epoch/train",
    "Accuracy by epoch/validation",
    "Accuracy/train",
    "Accuracy/validation",
    "Images per second",
    "Learning rate",
    "Loss by epoch/train",
    "Loss by epoch/validation",
    "Loss/train",
    "Loss/validation",
]


def metrics(*tags: str) -> dict[str, MetricView]:
    return {tag: MetricView(last=1, min=1, max=1, step=9) for tag in tags}


def key_of(*tags: str) -> str | None:
    metric = key_metric(metrics(*tags))
    return metric and metric.tag


def test_training_loss_is_drawn_first_and_what_gathers_epochs_is_left_for_last() -> None:
    assert main_tags(metrics(*CONVNET)) == [
        "Loss/train",
        "Loss/validation",
        "Accuracy/validation",
        "Accuracy/train",
        "Learning rate",
        "Images per second",
    ]


def test_the_key_metric_is_held_out_quality_itself() -> None:
    assert key_of(*CONVNET) == "Accuracy/validation"
    assert key_of("Accuracy by epoch/validation", "Loss/validation") == "Accuracy by epoch/validation"


def test_without_held_out_quality_the_key_metric_is_held_out_loss_then_training_loss() -> None:
    assert key_of("loss", "valLoss", "Accuracy/train") == "valLoss"
    assert key_of("loss", "Accuracy/train", "lr") == "loss"
    assert key_of("lr", "GPU memory") == "GPU memory"
    assert key_of() is None


def test_what_is_said_of_a_scalar_decides_what_is_shown_first() -> None:
    said = {"val/distance": Better.LOWER, "Accuracy/val": Better.NEITHER}
    found = metrics("Accuracy/val", "val/distance", "speed")
    assert main_tags(found, said=said) == ["val/distance", "Accuracy/val", "speed"]
    chosen = key_metric(found, said)
    assert chosen is not None
    assert chosen.tag == "val/distance"


def test_gradients_and_heat_maps_are_no_key_metrics() -> None:
    assert key_of("grad/layer2", "heatmap", "train/loss") == "train/loss"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.98, "0.9800"), (0.0002857, "0.0002857"), (3.1e-5, "3.10e-5"), (0.0, "0"), (1850.2, "1,850"), (None, "NaN")],
)
def test_a_value_has_four_digits_however_small_it_is(value: float | None, shown: str) -> None:
    assert show_value(value) == shown
