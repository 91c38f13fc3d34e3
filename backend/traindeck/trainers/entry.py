"""The entry points through which packages offer trainers."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from traindeck.trainers.parameters import unknown_name
from traindeck.trainers.trainer import Trainer

GROUP = "traindeck.trainers"


class NotATrainer(Exception):
    """What an entry point leads to is not a `Trainer` of the entry point's name."""


class UnknownTrainer(LookupError):
    """No installed package offers a trainer of this name; the message names the nearest one."""


def offered() -> list[EntryPoint]:
    """All entry points of the group, in order of name; one that is found twice on the path counts once."""
    found = {(point.name, point.value, package_of(point)): point for point in entry_points(group=GROUP)}
    return [found[key] for key in sorted(found)]


def package_of(point: EntryPoint) -> str:
    """The name of the distribution that brings the entry point."""
    return point.dist.name if point.dist is not None else "unknown package"


def is_built_in(point: EntryPoint) -> bool:
    """Whether the entry point is Traindeck's own: no other package may take its name."""
    return package_of(point) == "traindeck"


def load(point: EntryPoint) -> Trainer:
    """Import what the entry point leads to.

    Raises:
        NotATrainer: it leads to something else, or to a trainer of another name.
        Exception: whatever the package's own import raised.
    """
    trainer = point.load()
    if not isinstance(trainer, Trainer):
        raise NotATrainer(f"{point.value} is a {type(trainer).__name__}, not a Trainer")
    if trainer.name != point.name:
        raise NotATrainer(f"{point.value} calls itself {trainer.name!r}, its entry point {point.name!r}")
    return trainer


def load_one(name: str) -> Trainer:
    """The installed trainer `name`, imported without any guard: for the process that is going to train.

    Raises:
        UnknownTrainer: no package offers it.
        NotATrainer, Exception: as for `load`.
    """
    points = offered()
    rivals = [point for point in points if point.name == name]
    if not rivals:
        raise UnknownTrainer(unknown_name("trainer", name, {point.name for point in points}))
    return load(min(rivals, key=lambda point: not is_built_in(point)))
