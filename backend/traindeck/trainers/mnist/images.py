"""The data set that a run's parameters name."""

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.cifar import cifar10
from traindeck.trainers.datasets.digits import fashion_mnist, mnist
from traindeck.trainers.datasets.folder import image_folder
from traindeck.trainers.datasets.images import ImageSet
from traindeck.trainers.mnist.params import MnistParams


def chosen_images(ctx: RunContext, params: MnistParams) -> ImageSet:
    """The images to train and validate on.

    Raises:
        DatasetUnavailable: they are not on disk and cannot be fetched, or cannot be read.
        FetchStopped: the run was asked to stop meanwhile.
    """
    if params.dataset == "folder":
        return image_folder(ctx, params.folder.strip(), params.image_size)
    read = {"MNIST": mnist, "FashionMNIST": fashion_mnist, "CIFAR10": cifar10}[params.dataset]
    return read(ctx)
