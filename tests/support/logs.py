"""Event files as a script would have written them, elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_logs(folder: Path, values: Sequence[float], params: Mapping[str, Any] | None = None) -> None:
    """Write `values` as the scalar "loss", step by step, and with `params` a session of the HParams tab."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("loss", value, step)
        if params:
            writer.add_hparams(params, {"hparam/best": 0.5})
