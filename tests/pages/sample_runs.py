"""Runs to render."""

from datetime import UTC, datetime, timedelta
from typing import Any

from traindeck.pages.shell import DeckState
from traindeck.runs.status import Status
from traindeck.runs.view import MetricView, ProgressView, Resources, RunView

CREATED = datetime(2025, 11, 23, 7, 30, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def run_view(status: Status = Status.RUNNING, **changes: Any) -> RunView:
    """A run of the trainer `mnist` in the given status, with what a run of that status has."""
    waits = status is Status.QUEUED
    fields: dict[str, Any] = {
        "id": 42,
        "name": "quiet-otter",
        "status": status,
        "status_reason": None,
        "trainer": "mnist",
        "script": None,
        "params": {"epochs": 3, "lr": 0.001},
        "tags": ["baseline"],
        "notes": "",
        "priority": 0,
        "resources": Resources(cpus=1, gpus=0),
        "created_at": CREATED,
        "started_at": None if waits else CREATED + timedelta(seconds=2),
        "finished_at": CREATED + timedelta(seconds=69) if status.is_final else None,
        "attempt": 0 if waits else 1,
        "exit_code": None,
        "progress": None if waits else ProgressView(step=1200, total=6000, unit="step", eta_seconds=31.5),
        "metrics": {} if waits else {"Loss/train": MetricView(last=0.41, min=0.39, max=2.3, step=1200)},
        "queue_position": 3 if waits else None,
        "waiting_for": "1 GPU slot: all 2 are taken" if waits else None,
        "log_size": 18231,
        "links": {},
    }
    return RunView(**{**fields, **changes})


def deck_state(**changes: Any) -> DeckState:
    """A deck of eight CPU slots, of which one is taken."""
    return DeckState(**{"cpus_used": 1, "cpus_total": 8, "counts": {"running": 1}, "version": "0.1.0", **changes})
