import pytest

from traindeck.runner.progress import read_progress
from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.mnist.train import train
from trainers.eventfiles import read_events


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
