import torch

from traindeck.trainers.mnist.evaluation import Evaluation
from traindeck.trainers.mnist.model import ConvNet


def evaluation(probabilities: list[list[float]], labels: list[int]) -> Evaluation:
    return Evaluation(0.0, 0.0, torch.tensor(probabilities), torch.tensor(labels))


def test_the_confusion_matrix_has_a_row_for_each_true_class():
    seen = evaluation([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], [0, 0, 1])
    assert seen.confusion().tolist() == [[1, 1], [0, 1]]


def test_the_worst_mistakes_are_those_it_is_most_sure_about():
    seen = evaluation([[0.6, 0.4], [0.99, 0.01], [0.1, 0.9], [0.8, 0.2]], [1, 1, 1, 1])
    assert seen.worst_mistakes(2).tolist() == [1, 3]
    assert seen.worst_mistakes(10).tolist() == [1, 3, 0]


def test_without_dropout_the_layers_are_those_of_the_article():
    statistics = torch.zeros(1, 1, 1), torch.ones(1, 1, 1)
    model = ConvNet((1, 28, 28), 10, 0.0, *statistics)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Conv2d", "ReLU", "Conv2d", "ReLU", "Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert sum(parameter.numel() for parameter in model.parameters()) == 187_349


def test_the_model_takes_pixels_as_they_are_stored():
    statistics = torch.full((1, 1, 1), 100.0), torch.full((1, 1, 1), 50.0)
    model = ConvNet((1, 8, 8), 3, 0.0, *statistics)
    pixels = torch.tensor([0, 100, 200], dtype=torch.uint8)[None, None, None]
    assert model.normalized(pixels).flatten().tolist() == [-2.0, 0.0, 2.0]
