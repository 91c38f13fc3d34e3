"""Everything that TensorBoard's front end asks of a board, found by asking: tags first, then the data of each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Question:
    """One request: its address below the board, and a form or a JSON text where it is posted."""

    path: str
    form: str = ""
    text: str = ""


Ask = Callable[[Question], Any]
"""Gives the answer's JSON."""


def questions(ask: Ask) -> Iterator[Question]:
    """All questions about the board that `ask` goes to."""
    for path in ("environment", "runs", "experiments", "plugins_listing"):
        yield Question(f"data/{path}")
    for plugin in (_scalars, _time_series, _images, _audio, _by_run_and_tag, _graphs, _curves, _meshes):
        yield from plugin(ask)
    yield from _custom_scalars(ask)
    yield from _projector(ask)
    yield from _hyperparameters(ask)


def at(plugin: str, route: str, **arguments: Any) -> Question:
    """A question to a plugin."""
    query = f"?{urlencode(arguments, doseq=True)}" if arguments else ""
    return Question(f"data/plugin/{plugin}/{route}{query}")


def _tags(ask: Ask, plugin: str) -> Iterator[tuple[str, str, Any]]:
    for run, tags in ask(at(plugin, "tags")).items():
        for tag in tags:
            yield run, tag, tags[tag] if isinstance(tags, dict) else None


def _scalars(ask: Ask) -> Iterator[Question]:
    yield at("scalars", "tags")
    runs_by_tag: dict[str, list[str]] = {}
    for run, tag, _ in _tags(ask, "scalars"):
        runs_by_tag.setdefault(tag, []).append(run)
        yield at("scalars", "scalars", run=run, tag=tag)
        yield at("scalars", "scalars", run=run, tag=tag, format="csv")
    for tag, runs in runs_by_tag.items():
        yield Question("data/plugin/scalars/scalars_multirun", urlencode({"tag": tag, "runs": runs}, doseq=True))


def _time_series(ask: Ask) -> Iterator[Question]:
    yield at("timeseries", "tags")
    found = ask(at("timeseries", "tags"))
    wanted: list[dict[str, Any]] = []
    for plugin in ("scalars", "histograms"):
        runs_by_tag: dict[str, list[str]] = {}
        for run, tags in found[plugin]["runTagInfo"].items():
            for tag in tags:
                runs_by_tag.setdefault(tag, []).append(run)
        for tag, runs in runs_by_tag.items():
            wanted += [{"plugin": plugin, "tag": tag}] if plugin == "scalars" else []
            wanted += [{"plugin": plugin, "tag": tag, "run": run} for run in runs]
    for run, tags in found["images"]["tagRunSampledInfo"].items():
        wanted += [{"plugin": "images", "tag": run, "run": name, "sample": 0} for name in tags]
    for one in wanted:
        yield Question("data/plugin/timeseries/timeSeries", urlencode({"requests": json.dumps([one])}))
        if one["plugin"] == "images":
            (series,) = ask(Question("data/plugin/timeseries/timeSeries", urlencode({"requests": json.dumps([one])})))
            for datum in series["runToSeries"][one["run"]]:
                yield at("timeseries", "imageData", imageId=datum["imageId"])


def _images(ask: Ask) -> Iterator[Question]:
    yield at("images", "tags")
    for run, tag, info in _tags(ask, "images"):
        for sample in range(info["samples"]):
            question = at("images", "images", run=run, tag=tag, sample=sample)
            yield question
            for image in ask(question):
                yield Question(f"data/plugin/images/individualImage?{image['query']}")


def _audio(ask: Ask) -> Iterator[Question]:
    yield at("audio", "tags")
    for run, tag, info in _tags(ask, "audio"):
        for sample in range(info["samples"]):
            question = at("audio", "audio", run=run, tag=tag, sample=sample)
            yield question
            for clip in ask(question):
                yield Question(f"data/plugin/audio/individualAudio?{clip['query']}")


def _by_run_and_tag(ask: Ask) -> Iterator[Question]:
    for plugin in ("histograms", "distributions", "text"):
        yield at(plugin, "tags")
        for run, tag, _ in _tags(ask, plugin):
            yield at(plugin, plugin, run=run, tag=tag)
        for run, tags in ask(at("text", "tags")).items() if plugin == "text" else ():
            for tag in tags:
                yield at(plugin, "text", run=run, tag=tag)
                yield at(plugin, "text", run=run, tag=tag, markdown="false")


def _graphs(ask: Ask) -> Iterator[Question]:
    yield at("graphs", "info")
    for run, info in ask(at("graphs", "info")).items():
        if info["run_graph"]:
            yield at("graphs", "graph", run=run, conceptual="false")
            yield at("graphs", "graph", run=run, limit_attr_size=1024, large_attrs_key="_too_large_attrs")
        for tag in info["tags"]:
            yield at("graphs", "run_metadata", run=run, tag=tag)


def _curves(ask: Ask) -> Iterator[Question]:
    yield at("pr_curves", "tags")
    for run, tag, _ in _tags(ask, "pr_curves"):
        yield at("pr_curves", "pr_curves", run=run, tag=tag)


def _meshes(ask: Ask) -> Iterator[Question]:
    yield at("mesh", "tags")
    for run, tag, _ in _tags(ask, "mesh"):
        question = at("mesh", "meshes", run=run, tag=tag, sample=0)
        yield question
        for mesh in ask(question):
            kind = mesh["content_type"]
            yield at("mesh", "data", run=run, tag=tag, sample=0, step=mesh["step"], content_type=kind)


def _custom_scalars(ask: Ask) -> Iterator[Question]:
    yield at("custom_scalars", "layout")
    for run, tag, _ in _tags(ask, "scalars"):
        yield at("custom_scalars", "download_data", run=run, tag=tag, format="csv")
        yield at("custom_scalars", "download_data", run=run, tag=tag, format="json")
        yield at("custom_scalars", "scalars", run=run, tag="loss.*")


def _projector(ask: Ask) -> Iterator[Question]:
    yield at("projector", "runs")
    for run in ask(at("projector", "runs")):
        yield at("projector", "info", run=run)
        for embedding in ask(at("projector", "info", run=run))["embeddings"]:
            for route in ("tensor", "metadata", "sprite_image", "bookmarks"):
                yield at("projector", route, run=run, name=embedding["tensorName"], num_rows=5)


def _hyperparameters(ask: Ask) -> Iterator[Question]:
    experiment = Question("data/plugin/hparams/experiment", text="{}")
    yield experiment
    wanted = {"colParams": [], "startIndex": 0, "sliceSize": 100, "allowedStatuses": ["STATUS_UNKNOWN"]}
    everything = wanted | {"allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]}
    for text in (json.dumps(wanted), json.dumps(everything)):
        yield Question("data/plugin/hparams/session_groups", text=text)
    for form in ("csv", "json", "latex"):
        count = len(ask(experiment).get("hparamInfos", [])) + len(ask(experiment).get("metricInfos", []))
        arguments = {"format": form, "columnsVisibility": json.dumps([True] * count)}
        yield at("hparams", "download_data", request=json.dumps(everything), **arguments)
    for group in ask(Question("data/plugin/hparams/session_groups", text=json.dumps(everything)))["sessionGroups"]:
        for session in group["sessions"]:
            for metric in session.get("metricValues", []):
                text = json.dumps({"sessionName": session["name"], "metricName": metric["name"]})
                yield Question("data/plugin/hparams/metric_evals", text=text)
