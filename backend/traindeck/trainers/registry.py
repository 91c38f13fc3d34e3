"""The trainers that are installed. The server asks here, and never imports torch by asking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from traindeck.trainers.entry import GROUP, UnknownTrainer, is_built_in, load, load_one, offered, package_of
from traindeck.trainers.packaged import BuiltInTrainer, InstalledTrainer, describe_packaged, reason
from traindeck.trainers.parameters import InvalidParams, ParamError
from traindeck.wording import unknown_name

__all__ = [
    "GROUP",
    "BrokenTrainer",
    "InstalledTrainer",
    "InvalidParams",
    "ParamError",
    "Registry",
    "UnknownTrainer",
    "load_one",
    "load_trainers",
]

DESCRIBED_AT_ONCE = 8
"""How many packages' trainers are described at the same time: each is a process that may import torch."""


@dataclass(frozen=True, slots=True)
class BrokenTrainer:
    """An entry point that gave no trainer: its name, the distribution that brings it, and why."""

    name: str
    package: str
    reason: str


@dataclass(frozen=True, slots=True)
class Registry:
    """What was found when the trainers were loaded."""

    trainers: Mapping[str, InstalledTrainer]
    broken: tuple[BrokenTrainer, ...]

    def get(self, name: str) -> InstalledTrainer:
        """Return the trainer `name`.

        Raises:
            UnknownTrainer: there is none; the message names the nearest one, or says why this one is broken.
        """
        if name in self.trainers:
            return self.trainers[name]
        for broken in self.broken:
            if broken.name == name:
                raise UnknownTrainer(f"trainer {name!r} of {broken.package} is broken: {broken.reason}")
        raise UnknownTrainer(unknown_name("trainer", name, self.trainers))


def load_trainers() -> Registry:
    """Load every offered trainer; one that cannot be loaded is reported in `broken`.

    A trainer that a package brings is described by a process of its own, which takes as long as its imports
    do: seconds, for torch, and `DESCRIBE_SECONDS` at most.
    """
    offers = offered()
    points, broken = _without_duplicates(offers.points)
    broken += [BrokenTrainer(package, package, why) for package, why in offers.unreadable.items()]
    with ThreadPoolExecutor(DESCRIBED_AT_ONCE) as pool:
        results = list(pool.map(_load, points))
    trainers = {}
    for point, result in zip(points, results, strict=True):
        if isinstance(result, str):
            broken.append(BrokenTrainer(point.name, package_of(point), result))
        else:
            trainers[point.name] = result
    return Registry(trainers, tuple(broken))


def _without_duplicates(points: list[EntryPoint]) -> tuple[list[EntryPoint], list[BrokenTrainer]]:
    by_name: dict[str, list[EntryPoint]] = defaultdict(list)
    for point in points:
        by_name[point.name].append(point)
    kept, broken = [], []
    for name, rivals in by_name.items():
        # A package must not replace a built-in trainer by taking its name; among other packages none has the right.
        winners = [point for point in rivals if is_built_in(point)] or rivals
        if len(winners) == 1:
            kept += winners
        losers = [point for point in rivals if point not in kept]
        broken += [BrokenTrainer(name, package_of(point), _rivalry(point, rivals)) for point in losers]
    return kept, broken


def _rivalry(point: EntryPoint, rivals: list[EntryPoint]) -> str:
    others = ", ".join(sorted({package_of(rival) for rival in rivals if rival is not point}))
    return f"the name {point.name!r} is also taken by {others}"


def _load(point: EntryPoint) -> InstalledTrainer | str:
    """Return the trainer, or why it is broken."""
    if not is_built_in(point):
        return describe_packaged(point.name)
    try:
        return BuiltInTrainer(load(point))
    except Exception as error:
        return reason(error)
