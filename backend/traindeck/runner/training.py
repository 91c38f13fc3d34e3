"""Runs a trainer: its function, with its context and its parameters."""

import signal
import sys
from pathlib import Path
from types import ModuleType

from traindeck.runner.context import RunContext
from traindeck.runner.order import Order
from traindeck.trainers.registry import load_one


def run_trainer(order: Order) -> int:
    """Run the trainer of `order`; the exit code."""
    sys.modules["__main__"] = ModuleType("__main__")
    sys.argv = [order.trainer or ""]
    context = RunContext(
        run_id=order.run_id,
        attempt=order.attempt,
        work=order.work,
        datasets=Path(order.datasets),
        progress_path=order.path / "progress.json",
        resume_from=Path(order.resume_from) if order.resume_from else None,
        cpus=order.cpus,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: context.request_stop())
    trainer = load_one(order.trainer or "")
    try:
        trainer.function()(context, trainer.params.model_validate(order.params))
    finally:
        context.close()
    return 0
