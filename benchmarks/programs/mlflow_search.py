"""Searches runs with MLflow, on a database of its own in the current folder; prints seconds by search.

Each search is made twice: as a client of `mlflow server`, and in this process by the store that the server uses.

Run by a Python that has MLflow: mlflow_search.py '{"runs": 2000, "rounds": 5, "searches": {"name": "filter"}}'
"""

import json
import socket
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import requests
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
DATABASE = "sqlite:///mlflow.db"
LIMIT, ORDER = 50, ["attributes.start_time DESC"]
START_SECONDS = 120.0


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


@contextmanager
def server():
    """Serve the database; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", DATABASE, "--port", str(port)]
    with (
        Path("server.log").open("wb") as log,
        subprocess.Popen([*command, "--workers", "1"], stdout=log, stderr=log) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_served(address, process)
            yield address
        finally:
            process.terminate()


def wait_until_served(address, process):
    """Wait until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.get(f"{address}/health", timeout=5).raise_for_status()
        except requests.RequestException:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def timed(search, rounds):
    """Seconds of each call but the first."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        search()
        taken.append(time.perf_counter() - began)
    return taken[1:]


def main():
    """Fill a store, and search it."""
    order = json.loads(sys.argv[1])
    store = SqlAlchemyStore(DATABASE, "artifacts")
    experiment = int(store.create_experiment("bench"))
    for first in range(0, order["runs"], CHUNK):
        with store.ManagedSessionMaker() as session:
            for number in range(first + 1, first + CHUNK + 1):
                session.add_all(rows(number, experiment))
    seconds = {"store": {}, "server": {}}
    with server() as address, requests.Session() as session:
        for name, text in order["searches"].items():
            asked = {"experiment_ids": [str(experiment)], "filter": text, "max_results": LIMIT, "order_by": ORDER}

            def in_store(text=text):
                store.search_runs([str(experiment)], text, ViewType.ACTIVE_ONLY, LIMIT, ORDER)

            def by_http(asked=asked):
                session.post(f"{address}/api/2.0/mlflow/runs/search", json=asked, timeout=60).raise_for_status()

            seconds["store"][name] = timed(in_store, order["rounds"])
            seconds["server"][name] = timed(by_http, order["rounds"])
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
