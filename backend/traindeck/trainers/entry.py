"""The entry points through which packages offer trainers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions

from pydantic import BaseModel

from traindeck.trainers.trainer import Trainer
from traindeck.wording import unknown_name

GROUP = "traindeck.trainers"
UNNAMED = "unknown package"


class NotATrainer(Exception):
    """What an entry point leads to is not a `Trainer` of the entry point's name."""


class ExtraNotInstalled(Exception):
    """The trainer needs an extra of its package that is not installed; the message names the command that does it."""


class UnknownTrainer(LookupError):
    """No installed package offers a trainer of this name; the message names the nearest one."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What the installed packages offer: entry points in order of name, and why some packages' cannot be read."""

    points: list[EntryPoint]
    unreadable: dict[str, str]


def offered() -> Offers:
    """All entry points of the group; a package that is found twice on the path counts once, where it is found first."""
    found: dict[str, list[EntryPoint]] = {}
    unreadable: dict[str, str] = {}
    for package in distributions():
        # One by one: a single malformed file would hide the entry points of every package.
        try:
            points = package.entry_points.select(group=GROUP)
        except Exception as error:
            if _may_mean_us(package):
                unreadable[_name_of(package)] = f"its entry_points.txt is malformed: {error}"
            continue
        if points:
            found.setdefault(_name_of(package), list(points))
    everyone = [point for points in found.values() for point in points]
    return Offers(sorted(everyone, key=lambda point: (point.name, point.value)), unreadable)


def _may_mean_us(package: Distribution) -> bool:
    try:
        return GROUP in (package.read_text("entry_points.txt") or "")
    except (OSError, ValueError):
        return True


def _name_of(package: Distribution) -> str:
    try:
        return package.name or UNNAMED
    except Exception:
        return UNNAMED


def package_of(point: EntryPoint) -> str:
    """Return the name of the distribution that brings the entry point."""
    return UNNAMED if point.dist is None else _name_of(point.dist)


def is_built_in(point: EntryPoint) -> bool:
    """Return whether the entry point is Traindeck's own: no other package may take its name."""
    return package_of(point) == "traindeck"


def load(point: EntryPoint) -> Trainer:
    """Import what the entry point leads to.

    Raises:
        NotATrainer: it leads to something else, or to a trainer of another name.
        ExtraNotInstalled: the packages that it trains with are not installed.
        Exception: whatever the package's own import raised.
    """
    trainer = point.load()
    if not isinstance(trainer, Trainer):
        raise NotATrainer(f"{point.value} is a {type(trainer).__name__}, not a Trainer")
    if trainer.name != point.name:
        raise NotATrainer(f"{point.value} calls itself {trainer.name!r}, its entry point {point.name!r}")
    if not (isinstance(trainer.title, str) and isinstance(trainer.description, str)):
        raise NotATrainer(f"the title and the description of {point.value} must be text")
    if not (isinstance(trainer.params, type) and issubclass(trainer.params, BaseModel)):
        raise NotATrainer(f"the params of {point.value} must be a pydantic model")
    _check_extra(point, trainer.extra)
    return trainer


def _check_extra(point: EntryPoint, extra: str) -> None:
    if not extra or point.dist is None:
        return
    # Not above: only a trainer with an extra needs it.
    from traindeck.trainers.requirements import missing

    lacking = missing(point.dist, extra)
    if lacking:
        install = f'pip install "{package_of(point)}[{extra}]"'
        raise ExtraNotInstalled(f"{' and '.join(lacking)} must be installed: {install}, then start the server again")


def load_one(name: str) -> Trainer:
    """Return the installed trainer `name`, imported without any guard: for the process that is going to train.

    Raises:
        UnknownTrainer: no package offers it.
        NotATrainer, ExtraNotInstalled, Exception: as for `load`.
    """
    points = offered().points
    rivals = [point for point in points if point.name == name]
    if not rivals:
        raise UnknownTrainer(unknown_name("trainer", name, {point.name for point in points}))
    return load(min(rivals, key=lambda point: not is_built_in(point)))
