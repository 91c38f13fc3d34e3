"""A comparison to render: two runs of a script, of which the second learns faster."""

from datetime import timedelta
from typing import Any

from pages.sample_runs import CREATED
from traindeck.runs.comparison import (
    ComparedCode,
    ComparedFile,
    ComparedMetric,
    ComparedMetrics,
    ComparedRow,
    ComparedRows,
    ComparedRun,
    Comparison,
)
from traindeck.runs.status import Status
from traindeck.runs.view import MetricView

DIFF = "--- a/train.py\n+++ b/train.py\n@@ -1,2 +1,2 @@\n import torch\n-LAYERS = 3\n+LAYERS = 4\n"


def compared_run(run_id: int, **changes: Any) -> ComparedRun:
    """A run of train.py that completed after a minute."""
    fields: dict[str, Any] = {
        "id": run_id,
        "name": f"run-{run_id}",
        "status": Status.COMPLETED,
        "status_reason": None,
        "program": "train.py",
        "tags": [],
        "attempt": 1,
        "rerun_of": None,
        "code_digest": None,
        "created_at": CREATED,
        "started_at": CREATED + timedelta(seconds=1),
        "finished_at": CREATED + timedelta(seconds=61),
        "seconds": 60.0,
    }
    return ComparedRun(**{**fields, **changes})


def rows(**values: list[Any]) -> ComparedRows:
    """Rows by name, those that differ first."""
    made = [
        ComparedRow(name=name, values=found, differs=len(set(map(str, found))) > 1) for name, found in values.items()
    ]
    return ComparedRows(rows=sorted(made, key=lambda row: not row.differs))


def metric(tag: str, *lasts: float | None) -> ComparedMetric:
    """A scalar that came to these values; None where a run has not written it."""
    values = [None if last is None else MetricView(last=last, min=0, max=9, step=100) for last in lasts]
    return ComparedMetric(tag=tag, values=values, differs=len(set(lasts)) > 1)


def comparison(**changes: Any) -> Comparison:
    """Runs 41 and 42."""
    fields: dict[str, Any] = {
        "runs": [compared_run(41), compared_run(42, rerun_of=41)],
        "params": rows(lr=[0.1, 0.2], epochs=[3, 3]),
        "metrics": ComparedMetrics(rows=[metric("Loss/train", 0.5, 0.25), metric("Accuracy/val", 0.9, 0.8)]),
        "script": rows(arguments=["--lr 0.1", "--lr 0.2"]),
        "code": [
            ComparedCode(
                run=42, against=41, same=False, files=[ComparedFile(path="train.py", status="changed", diff=DIFF)]
            )
        ],
        "git": rows(commit=["0a1b2c", "0a1b2c"]),
        "packages": ComparedRows(equal_left_out=137),
        "environment": rows(MODE=["fast", None]),
        "host": rows(host=["ada", "ada"]),
        "resources": rows(cpus=[1, 1]),
    }
    return Comparison(**{**fields, **changes})
