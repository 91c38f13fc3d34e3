import math

import pytest
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from traindeck.trainers.summaries import write_histograms
from trainers.eventfiles import read_events

LAYERS = {
    "Conv1d": nn.Conv1d(2, 3, 3),
    "Conv2d": nn.Conv2d(2, 3, 3),
    "Conv3d": nn.Conv3d(2, 3, 3),
    "ConvTranspose2d": nn.ConvTranspose2d(3, 2, 3),
    "Linear": nn.Linear(4, 3),
    "Bilinear": nn.Bilinear(2, 3, 4),
    "Embedding": nn.Embedding(5, 3),
    "BatchNorm2d": nn.BatchNorm2d(3),
    "LayerNorm": nn.LayerNorm(3),
    "GroupNorm": nn.GroupNorm(1, 3),
    "LSTM": nn.LSTM(2, 3),
    "GRU": nn.GRU(2, 3),
    "MultiheadAttention": nn.MultiheadAttention(4, 2),
    "PReLU": nn.PReLU(),
    "TransformerEncoderLayer": nn.TransformerEncoderLayer(4, 2, 8),
}
KERNELS = {"Conv1d": 3, "Conv2d": 3, "Conv3d": 3, "ConvTranspose2d": 2}


def written(model: nn.Module, folder) -> set[str]:
    with SummaryWriter(str(folder)) as writer:
        write_histograms(writer, model, 1)
    return read_events(folder).histograms


@pytest.mark.parametrize("kind", LAYERS)
def test_every_parameter_of_every_kind_of_layer_is_drawn(kind, tmp_path):
    layer = LAYERS[kind]
    tags = written(layer, tmp_path)
    whole = [tag for tag in tags if "kernel" not in tag]
    assert len(whole) == sum(parameter.numel() > 0 for parameter in layer.parameters())
    assert len(tags) - len(whole) == KERNELS.get(kind, 0)


def test_gradients_are_drawn_where_there_are_any(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0](torch.ones(1, 2)).sum().backward()
    gradients = {tag for tag in written(model, tmp_path) if tag.startswith("Gradients/")}
    assert gradients == {"Gradients/0 Linear/weight", "Gradients/0 Linear/bias"}


def test_values_that_are_not_numbers_are_left_out(tmp_path):
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight[0, 0] = math.nan
        model.bias.fill_(math.inf)
    assert written(model, tmp_path) == {"Weights/model Linear/weight"}
