"""A data set made of files with known sums: where it lies, and how it gets there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.digest import has_md5
from traindeck.trainers.datasets.turn import FETCH_FOLDER, turn
from traindeck.trainers.datasets.unavailable import DatasetUnavailable, SourceFailed

Source = Callable[[RunContext, Path], Path]
"""Fetches into an empty folder and returns the folder, in or below it, that then holds the files."""


@dataclass(frozen=True, slots=True)
class FetchedSet:
    """A data set's files and the places that they can come from.

    Attributes:
        name: What the data set is called.
        folder: Where its files belong, below the deck's datasets folder, as torchvision lays them out.
        md5_of_file: The MD5 sum of each file.
        sources: What is tried in turn where files are missing or wrong.
        by_hand: What a person would put where, when nothing can be fetched: the folder below the datasets
            folder, and the names of the files.
    """

    name: str
    folder: Path
    md5_of_file: Mapping[str, str]
    sources: tuple[Source, ...]
    by_hand: tuple[Path, tuple[str, ...]]


def ensure(ctx: RunContext, wanted: FetchedSet) -> Path:
    """The folder with all files of the data set, each with the right sum; fetched first where it has to be.

    Runs that need the same data set at the same moment wait for the one that fetches it.

    Raises:
        DatasetUnavailable: no source gave it.
        FetchStopped: the run was asked to stop.
    """
    home = ctx.datasets / wanted.folder
    if is_complete(home, wanted):
        return home
    with turn(ctx, wanted.name):
        if not is_complete(home, wanted):
            _fetch(ctx, wanted, home)
    return home


def is_complete(folder: Path, wanted: FetchedSet) -> bool:
    """Whether `folder` holds every file of the data set, unharmed."""
    return all(has_md5(folder / name, md5) for name, md5 in wanted.md5_of_file.items())


def _fetch(ctx: RunContext, wanted: FetchedSet, home: Path) -> None:
    scratch = ctx.datasets / FETCH_FOLDER / wanted.name
    reasons = []
    for source in wanted.sources:
        # What a killed run left here is nobody's: whoever holds the turn may clear it away.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        try:
            _put_in_place(source(ctx, scratch), wanted, home)
        except SourceFailed as error:
            reasons.append(str(error))
        else:
            return
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    raise DatasetUnavailable(_advice(ctx, wanted, reasons))


def _put_in_place(fetched: Path, wanted: FetchedSet, home: Path) -> None:
    wrong = [name for name, md5 in wanted.md5_of_file.items() if not has_md5(fetched / name, md5)]
    if wrong:
        raise SourceFailed(f"missing or with a wrong MD5 sum: {', '.join(wrong)}")
    home.mkdir(parents=True, exist_ok=True)
    for path in fetched.iterdir():
        if path.is_file():
            path.replace(home / path.name)


def _advice(ctx: RunContext, wanted: FetchedSet, reasons: list[str]) -> str:
    folder, names = wanted.by_hand
    return (
        f"{wanted.name} could not be fetched ({'; '.join(reasons)}). "
        f"Put these files into {ctx.datasets / folder}: {', '.join(names)}"
    )
