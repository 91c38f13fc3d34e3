"""`torchvision.datasets.MNIST(download=True)` where none of its mirrors can be reached."""

from support.served import ServedDeck

UNREACHABLE = """
from torchvision.datasets import {name}
{name}.mirrors = ["http://127.0.0.1:9/"]
"""


def test_a_script_gets_mnist_the_way_the_deck_does(shared_deck: ServedDeck) -> None:
    source = UNREACHABLE.format(name="MNIST") + (
        "digits = MNIST('elsewhere', download=True)\n"
        "print(len(digits), digits.targets[:5].tolist(), len(MNIST('elsewhere', train=False)))\n"
    )
    run = shared_deck.launch(source)
    shared_deck.wait_for_status(run["id"], "completed", seconds=100)

    assert shared_deck.log_of(run["id"]).splitlines()[-1] == "60000 [5, 0, 4, 1, 9] 10000"


def test_other_data_of_the_same_kind_fails_as_it_would_without_a_deck(shared_deck: ServedDeck) -> None:
    source = UNREACHABLE.format(name="FashionMNIST") + "FashionMNIST('elsewhere', download=True)\n"
    run = shared_deck.launch(source)
    run = shared_deck.wait_for_status(run["id"], "failed")

    log = shared_deck.log_of(run["id"])
    assert "RuntimeError: Error downloading train-images-idx3-ubyte.gz" in log
    assert "traindeck" not in log
