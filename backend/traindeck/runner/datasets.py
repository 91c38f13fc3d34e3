"""Links what the deck's `datasets/` holds into a run's working folder.

A script that says `MNIST(os.getcwd(), download=True)`, or `"./data"`, or `"../data"`, then finds the data there
instead of downloading it for every run; and what it downloads to `data` stays for the next.
"""

from pathlib import Path

from traindeck.runner.order import Order

FOLDER_NAMES = ("data", "../data")


def link_datasets(order: Order) -> None:
    """Make the links; a name that is taken stays as it is, and a folder that is missing costs nothing."""
    datasets = Path(order.datasets)
    if not datasets.is_dir():
        return
    for name in FOLDER_NAMES:
        _link(order.work / name, datasets)
    for dataset in datasets.iterdir():
        if not dataset.name.startswith("."):
            _link(order.work / dataset.name, dataset)


def _link(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target)
    except OSError:
        # Taken, by an earlier attempt or the user; or a file system without links: the script downloads then.
        return
