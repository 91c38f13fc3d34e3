"""Whether a program is forked from a process that has imported torch, or executed afresh."""

from traindeck.runner.order import Order

WARM = "warm"
COLD = "cold"

READ_AT_START = (
    "PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_",
    "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "DNNL_", "ONEDNN_", "ATEN_", "TORCH", "PYTORCH_",
)  # fmt: skip
"""Beginnings of names of variables that an interpreter, or a library, looks at only while it starts."""


def start_of(order: Order, *, warm: bool) -> str:
    """How the program of an order is started by a shim that is `warm` (forked from the forkserver) or not.

    A run that sets a variable which a warm process has read already could not have its effect: it starts cold.
    """
    if not warm:
        return COLD
    if order.script is None:
        return WARM
    afresh = order.script.program.starts_cold or any(name.startswith(READ_AT_START) for name in order.env)
    return COLD if afresh else WARM
