import math

import pytest
import torch

from traindeck.trainers.mnist.meter import Meter

CPU = torch.device("cpu")


def logits(*classes: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(classes), 3).float()


def test_each_image_counts_once_however_large_its_batch():
    meter = Meter(CPU)
    meter.add(torch.tensor(1.0), logits(0, 1, 2), torch.tensor([0, 1, 0]))
    meter.add(torch.tensor(5.0), logits(2), torch.tensor([2]))
    meter.fold()
    assert meter.window.mean_loss == pytest.approx((3 * 1.0 + 5.0) / 4)
    assert meter.window.accuracy == pytest.approx(3 / 4)


def test_the_epoch_goes_on_when_a_window_is_closed():
    meter = Meter(CPU)
    for loss in (1.0, 3.0):
        meter.add(torch.tensor(loss), logits(0), torch.tensor([0]))
        meter.fold()
        assert meter.window.mean_loss == loss
        meter.window = type(meter.window)()
    assert meter.epoch.mean_loss == 2.0


def test_sums_survive_a_checkpoint():
    meter, resumed = Meter(CPU), Meter(CPU)
    meter.add(torch.tensor(2.0), logits(1), torch.tensor([0]))
    resumed.load_state_dict(meter.state_dict())
    assert (resumed.window, resumed.epoch) == (meter.window, meter.epoch)


def test_a_mean_of_nothing_is_not_a_number():
    assert math.isnan(Meter(CPU).window.mean_loss)
    assert math.isnan(Meter(CPU).window.accuracy)
