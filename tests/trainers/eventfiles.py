"""What a run wrote, read back by TensorBoard's own reader."""

from dataclasses import dataclass
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

Points = list[tuple[int, float]]


@dataclass(frozen=True)
class Events:
    """The tags of one folder's event files, by kind."""

    scalars: dict[str, Points]
    images: set[str]
    audio: set[str]
    histograms: set[str]
    tensors: set[str]
    plugins: set[str]
    has_graph: bool


def read_events(folder: Path) -> Events:
    """Read the event files that lie in `folder` itself."""
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    reader.Reload()
    tags = reader.Tags()
    scalars = {tag: [(point.step, point.value) for point in reader.Scalars(tag)] for tag in tags["scalars"]}
    return Events(
        scalars=scalars,
        images=set(tags["images"]),
        audio=set(tags["audio"]),
        histograms=set(tags["histograms"]),
        tensors=set(tags["tensors"]),
        plugins=set(reader.summary_metadata),
        has_graph=bool(tags["graph"]),
    )
