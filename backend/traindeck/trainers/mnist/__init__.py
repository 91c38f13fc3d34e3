"""The built-in ConvNet trainer. Only its name and parameters are here: the rest loads where it trains."""

from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.trainer import Trainer

trainer = Trainer(
    name="mnist",
    title="ConvNet on images",
    description=(
        "Trains a small convolutional network to tell handwritten digits, clothes, or the classes of your own"
        " images apart, and shows in TensorBoard what it learns and where it errs."
    ),
    params=MnistParams,
    run="traindeck.trainers.mnist.train:train",
)
