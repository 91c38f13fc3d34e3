"""Run a trainer in the process of an attempt, and give scripts one more source for MNIST.

If no mirror of torchvision can be reached, `torchvision.datasets.MNIST(download=True)` fails in a script. The built-in
trainer can get the same files, with checksums, in another way. The script then uses that way too.
"""

import functools
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from traindeck.runner.copying import copy_file
from traindeck.runner.order import Order
from traindeck.runner.uncaught import frames_from
from traindeck.runner.unseen import unseen
from traindeck.trainers.context import RunContext, context_of
from traindeck.trainers.entry import load_one
from traindeck.trainers.parameters import validate_params

__all__ = ["offer_another_source", "run_trainer"]
MODULE = "torchvision.datasets.mnist"


def run_trainer(order: Order) -> int:
    """Run the trainer of `order`; the exit code, negative for a signal to end by."""
    sys.modules["__main__"] = ModuleType("__main__")
    sys.argv = [order.trainer or ""]
    context = context_of(order)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: context.request_stop())
    try:
        _train(order, context)
    except BaseException as error:
        ours = frames_from(error.__traceback__, _train.__code__)
        error.__traceback__ = ours.tb_next if ours else None
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    finally:
        context.close()
    return 0


def _train(order: Order, context: RunContext) -> None:
    trainer = load_one(order.trainer or "")
    trainer.function()(context, validate_params(trainer.params, order.params))


def offer_another_source(order: Order) -> None:
    """Let MNIST's download fall back on the deck's way; nothing is imported, and what was not is left alone."""
    module = sys.modules.get(MODULE)
    if module is not None:
        module.MNIST.download = _with_fallback(module.MNIST, order)


def _with_fallback(published: Any, order: Order) -> Any:
    download = published.download
    resources = list(published.resources)

    @functools.wraps(download)
    @unseen
    def download_or_fetch(self: Any) -> None:
        try:
            download(self)
        except RuntimeError:
            # Subclasses are other data, by other files.
            if list(self.resources) != resources or not _fetch(order, Path(self.raw_folder)):
                raise

    return download_or_fetch


def _fetch(order: Order, raw_folder: Path) -> bool:
    """Bring the four files into `raw_folder`; False where that cannot be done either."""
    from traindeck.trainers.datasets.fetched import DatasetUnavailable, FetchStopped, ensure
    from traindeck.trainers.datasets.published import mnist_files

    wanted = mnist_files()
    try:
        # Not progress.json: how far the script is, is not known here.
        folder = ensure(context_of(order, progress_name="fetching.json"), wanted)
        for name in wanted.md5_of_file:
            if not (raw_folder / name).exists():
                copy_file(folder / name, raw_folder / name)
    except (DatasetUnavailable, FetchStopped, OSError):
        return False
    return True
