import math
from pathlib import Path

import pytest
import torch

from traindeck.runner.progress import read_progress
from traindeck.trainers.context import RunContext
from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.mnist.train import train
from traindeck.trainers.mnist.training import CannotResume
from trainers.eventfiles import read_events

QUICK = {"dataset": "folder", "image_size": 12, "batch_size": 8, "log_every": 2, "warmup_steps": 3}
STEPS_PER_EPOCH = 6
"""48 of the 60 images are trained on."""


def params(folder: str, **chosen: object) -> MnistParams:
    return MnistParams.model_validate({**QUICK, "folder": folder, **chosen})


def run(ctx: RunContext, folder: str, **chosen: object) -> RunContext:
    train(ctx, params(folder, **chosen))
    ctx.close()
    return ctx


def losses(*contexts: RunContext) -> dict[tuple[str, int], float]:
    """Every loss and accuracy that the contexts' runs wrote, by tag and step."""
    return {
        (tag, step): value
        for ctx in contexts
        for tag, points in read_events(ctx.work / "logs").scalars.items()
        if tag.startswith(("Loss", "Accuracy"))
        for step, value in points
    }


def stopping_after(steps: int) -> type[RunContext]:
    """A context whose run is asked to stop while it takes step number `steps`."""

    class Stopping(RunContext):
        def progress(self, step: int, total: int | None = None, unit: str = "step", label: str | None = None) -> None:
            super().progress(step, total, unit, label)
            if unit == "step" and step >= steps:
                self.request_stop()

    return Stopping


def test_a_run_writes_all_that_tensorboard_can_show_of_it(make_context, digit_folder):
    ctx = run(make_context(), digit_folder, epochs=2, histogram_every=5)
    events = read_events(ctx.work / "logs")
    assert set(events.scalars) == {
        *("Loss/train", "Loss/validation", "Accuracy/train", "Accuracy/validation"),
        *("Learning rate", "Images per second"),
    }
    assert set(events.images) == {"Examples", "Worst mistakes", "Confusion matrix", "First layer kernels"}
    assert {"Configuration/text_summary", "Model/text_summary", "Precision and recall/navy"} <= set(events.tensors)
    assert {"_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"} <= events.plugins
    assert events.has_graph
    for tag in ("Weights/layers.0 Conv2d/weight/kernel 9", "Gradients/layers.10 Linear/bias"):
        assert tag in events.histograms
    assert list(ctx.work.glob("logs/*/Validation images/sprite.png"))


def test_scalar_groups_hold_the_means_of_both_halves(make_context, digit_folder):
    ctx = run(make_context(), digit_folder, epochs=2)
    of_validation = read_events(ctx.work / "logs" / "Loss by epoch_validation").scalars["Loss by epoch"]
    of_training = read_events(ctx.work / "logs" / "Loss by epoch_train").scalars["Loss by epoch"]
    steps = read_events(ctx.work / "logs").scalars
    assert [value for _, value in of_validation] == [value for _, value in steps["Loss/validation"]]
    second_epoch = [value for step, value in steps["Loss/train"] if step > STEPS_PER_EPOCH]
    assert of_training[1][1] == pytest.approx(sum(second_epoch) / len(second_epoch), rel=1e-6)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(make_context, digit_folder):
    first, same, other = (
        losses(run(make_context(name), digit_folder, epochs=1, seed=seed))
        for name, seed in (("first", 1), ("same", 1), ("other", 2))
    )
    assert first == same
    assert first != other


def test_four_epochs_in_one_go_and_two_plus_a_resume_give_identical_losses(make_context, digit_folder):
    whole = run(make_context("whole"), digit_folder, epochs=4)
    half = run(make_context("half"), digit_folder, epochs=2)
    rest = make_context("rest", resume_from=half.work / "checkpoints" / "last.pt")
    run(rest, digit_folder, epochs=4)
    assert losses(half, rest) == losses(whole)


@pytest.mark.parametrize(("steps", "scheduler"), [(5, "exponential"), (STEPS_PER_EPOCH, "cosine"), (15, "constant")])
def test_a_run_that_is_stopped_and_resumed_goes_on_as_if_nothing_had_been(make_context, digit_folder, scheduler, steps):
    chosen = {"epochs": 3, "scheduler": scheduler, "optimizer": "sgd", "lr": 0.01}
    whole = run(make_context("whole"), digit_folder, **chosen)
    stopped = run(make_context("stopped", stopping_after(steps)), digit_folder, **chosen)
    assert max(step for _, step in losses(stopped)) <= steps
    resumed = make_context("resumed", resume_from=stopped.work / "checkpoints" / "last.pt")
    run(resumed, digit_folder, **chosen)
    assert losses(stopped, resumed) == losses(whole)


def test_a_killed_run_goes_on_from_its_last_checkpoint_within_the_epoch(make_context, digit_folder):
    class KilledError(Exception):
        pass

    class Dying(RunContext):
        def progress(self, step: int, total: int | None = None, unit: str = "step", label: str | None = None) -> None:
            if unit == "step" and step == 11:
                raise KilledError

    chosen = {"epochs": 3, "checkpoint_every": 4}
    whole = run(make_context("whole"), digit_folder, **chosen)
    dead = make_context("dead", Dying)
    with pytest.raises(KilledError):
        train(dead, params(digit_folder, **chosen))
    checkpoint = dead.work / "checkpoints" / "last.pt"
    assert torch.load(checkpoint, weights_only=True)["step"] == 8
    resumed = run(make_context("resumed", resume_from=checkpoint), digit_folder, **chosen)
    after = {key: value for key, value in losses(whole).items() if key[1] > 8}
    assert losses(resumed) == after


def test_a_checkpoint_holds_everything_and_is_read_without_running_code(make_context, digit_folder):
    ctx = run(make_context(), digit_folder, epochs=1)
    state = torch.load(ctx.work / "checkpoints" / "last.pt", weights_only=True)
    assert {"model", "optimizer", "scheduler", "scaler", "batches", "random", "params"} <= set(state)
    assert {"python", "numpy", "torch", "cuda"} == set(state["random"])
    assert (state["step"], state["epochs_done"]) == (STEPS_PER_EPOCH, 1)
    best = torch.load(ctx.work / "checkpoints" / "best.pt", weights_only=True)
    assert best["best_accuracy"] == state["best_accuracy"] > 0


def test_a_limit_of_steps_ends_the_run_within_an_epoch_and_still_validates(make_context, digit_folder):
    ctx = run(make_context(), digit_folder, epochs=5, max_steps=8)
    scalars = read_events(ctx.work / "logs").scalars
    assert [step for step, _ in scalars["Loss/validation"]] == [STEPS_PER_EPOCH, 8]
    assert scalars["Loss/train"][-1][0] == 8


def test_progress_counts_the_steps_of_the_whole_run(make_context, digit_folder):
    seen: list[tuple[int, int | None]] = []

    class Watching(RunContext):
        def progress(self, step: int, total: int | None = None, unit: str = "step", label: str | None = None) -> None:
            if unit == "step":
                seen.append((step, total))

    run(make_context(kind=Watching), digit_folder, epochs=2)
    assert seen == [(step, 2 * STEPS_PER_EPOCH) for step in range(1, 2 * STEPS_PER_EPOCH + 1)]


def test_a_run_whose_weights_explode_still_comes_to_its_end(make_context, digit_folder):
    chosen = {"optimizer": "sgd", "lr": 10.0, "warmup_steps": 0, "histogram_every": 2}
    ctx = run(make_context(), digit_folder, epochs=2, **chosen)
    assert len(read_events(ctx.work / "logs").scalars["Loss/validation"]) == 2


def test_a_run_whose_weights_are_not_numbers_still_comes_to_its_end(make_context, digit_folder, tmp_path: Path):
    state = torch.load(
        run(make_context("sane"), digit_folder, epochs=1).work / "checkpoints" / "last.pt", weights_only=True
    )
    state["model"]["layers.0.weight"].fill_(math.nan)
    torch.save(state, tmp_path / "poisoned.pt")
    ctx = make_context("poisoned", resume_from=tmp_path / "poisoned.pt")
    run(ctx, digit_folder, epochs=2, histogram_every=2)
    ((_, loss),) = read_events(ctx.work / "logs").scalars["Loss/validation"]
    assert math.isnan(loss)


@pytest.mark.parametrize("chosen", [{"precision": "bfloat16"}, {"channels_last": False}, {"dropout": 0.0}])
def test_a_run_trains_with(make_context, digit_folder, chosen):
    ctx = run(make_context(), digit_folder, epochs=1, **chosen)
    assert len(read_events(ctx.work / "logs").scalars["Loss/validation"]) == 1


def test_a_checkpoint_of_something_else_is_refused_by_name(make_context, digit_folder, tmp_path: Path):
    foreign = tmp_path / "foreign.pt"
    torch.save({"weights": torch.zeros(3)}, foreign)
    with pytest.raises(CannotResume, match=r"foreign\.pt is not a checkpoint of the mnist trainer"):
        train(make_context(resume_from=foreign), params(digit_folder))


def test_a_checkpoint_of_another_model_is_refused(make_context, digit_folder):
    small = run(make_context("small"), digit_folder, epochs=1)
    large = make_context("large", resume_from=small.work / "checkpoints" / "last.pt")
    with pytest.raises(CannotResume, match="is of another model"):
        train(large, params(digit_folder, image_size=16))


@pytest.mark.timeout(600)
def test_the_defaults_reach_98_percent_on_the_test_digits_within_three_epochs(make_context):
    ctx = make_context()
    train(ctx, MnistParams())
    ctx.close()
    scalars = read_events(ctx.work / "logs").scalars
    assert len(scalars["Accuracy/validation"]) <= 3
    assert scalars["Accuracy/validation"][-1][1] >= 0.98
    assert scalars["Loss/train"][0][0] == 1
    progress = read_progress(ctx.work / "progress.json")
    assert progress.step == progress.total == 2814
