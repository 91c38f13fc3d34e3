"""Which way a scalar is better is read from whole words of its tag, or said by the user."""

import pytest
from sqlmodel import Session

from traindeck.errors import InvalidRequest
from traindeck.runs import commands
from traindeck.runs.directions import Better, best, direction, guess
from traindeck.runs.queries import read_directions

HIGHER = ["accuracy", "val/acc", "valAcc", "trainacc", "top1_acc", "top-1", "Top_5/val", "F1", "f1-score", "macro_F1_val",
          "roc_auc", "valAUC", "AUCScore", "mAP", "val/mAP50", "metrics/mAP50-95(B)", "test_map", "box.map_75", "IoU",
          "mIoU", "mean_iou", "BLEU4", "rouge-l", "R2", "r2_score", "R^2", "Precision/val", "episode/reward"]  # fmt: skip
LOWER = ["loss", "Loss/train", "valLoss", "val_loss_epoch", "lossG", "loss2", "perplexity", "ppl", "eval.error", "RMSE",
         "test/mae", "MSE", "nll", "WER"]  # fmt: skip
NEITHER = ["grad/layer2", "layer2.weight", "heatmap", "heatMap", "feature_map/mean", "attention_map", "attention map",
           "caucasian", "accelerator", "vacuum", "glossary", "errorless", "terror", "scoreboard", "mapping", "lr", "loss_scale",
           "grad/loss_head", "gradNorm/accuracy", "bleugh", "r21", "layer_r12", "f11", "speed", "GPU memory", "", "///",
           "loss/accuracy", "Genauigkeit", "étape"]  # fmt: skip


@pytest.mark.parametrize("tag", HIGHER)
def test_a_quality_is_better_higher(tag: str) -> None:
    assert guess(tag) is Better.HIGHER


@pytest.mark.parametrize("tag", LOWER)
def test_a_loss_is_better_lower(tag: str) -> None:
    assert guess(tag) is Better.LOWER


@pytest.mark.parametrize("tag", NEITHER)
def test_what_only_contains_the_letters_is_neither(tag: str) -> None:
    assert guess(tag) is Better.NEITHER


def test_what_the_user_says_comes_first() -> None:
    said = {"loss": Better.HIGHER, "accuracy": Better.NEITHER}
    assert [direction(tag, said) for tag in ("loss", "accuracy", "val/loss")] == [
        Better.HIGHER, Better.NEITHER, Better.LOWER,
    ]  # fmt: skip


def test_the_best_needs_two_values_and_a_way_to_be_better() -> None:
    assert best(Better.HIGHER, [1.0, None, 3.0]) == 3.0
    assert best(Better.LOWER, [1.0, None, 3.0]) == 1.0
    assert best(Better.NEITHER, [1.0, 3.0]) is None
    assert best(Better.HIGHER, [1.0, None]) is None


def test_a_direction_is_kept_changed_and_taken_back(session: Session) -> None:
    commands.say_direction(session, "distance", Better.LOWER)
    commands.say_direction(session, "distance", Better.HIGHER)
    assert read_directions(session) == {"distance": Better.HIGHER}
    commands.say_direction(session, "distance", None)
    commands.say_direction(session, "never set", None)
    assert read_directions(session) == {}


def test_a_deck_keeps_a_bounded_number_of_them(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MOST_DIRECTIONS", 1)
    commands.say_direction(session, "a", Better.LOWER)
    with pytest.raises(InvalidRequest, match="tags"):
        commands.say_direction(session, "b", Better.LOWER)
    commands.say_direction(session, "a", Better.HIGHER)
