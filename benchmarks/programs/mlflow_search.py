"""Searches runs with MLflow's own store, on a database of its own in the current folder; prints seconds by search.

Run by a Python that has MLflow: mlflow_search.py '{"runs": 2000, "rounds": 5, "searches": {"name": "filter"}}'
"""

import json
import sys
import time
import uuid

from mlflow.entities import ViewType
from mlflow.store.tracking.dbmodels import models
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

METRICS = (
    "Loss/train",
    "Loss/validation",
    "Accuracy/train",
    "Accuracy/validation",
    "Learning rate",
    "Images per second",
)
PARAMETERS = ("learning_rate", "epochs", "dropout", "weight_decay", "seed", "warmup_steps", "decay")
CHUNK = 500


def scattered(number, salt):
    """The same values as in `benchmarks/crowd.py`."""
    return (number * 7919 + salt * 104729) % 1000003 / 1000003


def rows(number, experiment):
    """A run as it lies in MLflow's tables."""
    run_id = uuid.uuid4().hex
    yield models.SqlRun(
        run_uuid=run_id,
        name=f"run-{number}",
        source_type="LOCAL",
        source_name="train.py",
        entry_point_name="",
        user_id="me",
        status="FINISHED",
        start_time=number,
        end_time=number + 1,
        deleted_time=None,
        source_version="",
        lifecycle_stage="active",
        artifact_uri="none",
        experiment_id=experiment,
    )
    for salt, tag in enumerate(METRICS):
        value = scattered(number, salt)
        shared = {"run_uuid": run_id, "key": tag, "value": value, "timestamp": 1, "step": 2814, "is_nan": False}
        yield models.SqlMetric(**shared)
        yield models.SqlLatestMetric(**shared)
    yield models.SqlParam(run_uuid=run_id, key="batch_size", value=str((number * 7919 % 12 + 1) * 8))
    for salt, name in enumerate(PARAMETERS):
        yield models.SqlParam(run_uuid=run_id, key=name, value=str(scattered(number, salt + 50)))
    yield models.SqlTag(run_uuid=run_id, key=f"team-{number % 7}", value="yes")
    yield models.SqlTag(run_uuid=run_id, key="mlflow.runName", value=f"run-{number}")


def main():
    """Fill a store, and search it."""
    order = json.loads(sys.argv[1])
    store = SqlAlchemyStore("sqlite:///mlflow.db", "artifacts")
    experiment = int(store.create_experiment("bench"))
    for first in range(0, order["runs"], CHUNK):
        with store.ManagedSessionMaker() as session:
            for number in range(first + 1, first + CHUNK + 1):
                session.add_all(rows(number, experiment))
    seconds = {}
    for name, text in order["searches"].items():
        taken = []
        for _ in range(order["rounds"] + 1):
            began = time.perf_counter()
            store.search_runs([str(experiment)], text, ViewType.ACTIVE_ONLY, 50, ["attributes.start_time DESC"])
            taken.append(time.perf_counter() - began)
        seconds[name] = taken[1:]
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
