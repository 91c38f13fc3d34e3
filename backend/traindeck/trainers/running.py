"""Runs a trainer in the process of an attempt: its function, with its context and its parameters."""

import signal
import sys
from types import ModuleType

from traindeck.runner.order import Order
from traindeck.runner.uncaught import frames_from
from traindeck.trainers.context import RunContext, context_of
from traindeck.trainers.datasets.fallback import offer_another_source
from traindeck.trainers.entry import load_one
from traindeck.trainers.parameters import validate_params

__all__ = ["offer_another_source", "run_trainer"]


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
