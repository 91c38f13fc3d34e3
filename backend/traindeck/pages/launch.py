"""The form that launches a run."""

import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.environment import render
from traindeck.pages.fields import Group, groups

DEFAULT_RESOURCES = {"cpus": 1, "gpus": 0}


@dataclass(frozen=True, slots=True)
class TrainerView:
    """One installed trainer; `schema` is the JSON Schema of its parameters."""

    name: str
    title: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BrokenTrainer:
    """A trainer that is installed and cannot be loaded, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Card:
    """One trainer to pick."""

    name: str
    title: str
    description: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ScriptForm:
    """The script mode's fields as text; `pasted` where the source itself is given, not a path."""

    path: str
    args: str
    source: str
    filename: str
    pasted: bool


@dataclass(frozen=True, slots=True)
class CommonForm:
    """What every run can be given, as text."""

    name: str
    tags: str
    notes: str
    priority: int
    cpus: int
    gpus: int
    max_retries: int
    env: str


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """The form; `mode` is trainer or script."""

    shell: Shell
    cards: list[Card]
    broken: list[BrokenTrainer]
    chosen: Card | None
    groups: list[Group]
    script: ScriptForm
    common: CommonForm
    mode: str
    cpus_total: int
    gpus_total: int


def render_launch(
    trainers: list[TrainerView],
    broken: list[BrokenTrainer],
    selected: str | None,
    values: dict[str, Any],
    deck: DeckState,
) -> str:
    """The form for the trainer `selected`, or the first one; `values` is a POST /runs body to fill in."""
    picked = next((trainer for trainer in trainers if trainer.name == selected), None)
    shown = picked or (trainers[0] if trainers else None)
    cards = [_card(trainer, trainer is shown) for trainer in trainers]
    params = (values.get("params") or {}) if shown is not None and values.get("trainer") in (None, shown.name) else {}
    context = LaunchContext(
        shell=Shell(title="New run", section="launch", deck=deck),
        cards=cards,
        broken=broken,
        chosen=next((card for card in cards if card.chosen), None),
        groups=groups(shown.schema, params) if shown else [],
        script=_script(values.get("script") or {}),
        common=_common(values),
        mode="script" if values.get("script") or not trainers else "trainer",
        cpus_total=deck.cpus_total,
        gpus_total=deck.gpus_total,
    )
    return render("launch/page.html", context)


def _card(trainer: TrainerView, chosen: bool) -> Card:
    return Card(
        trainer.name,
        trainer.title,
        trainer.description,
        f"/launch?{urlencode({'trainer': trainer.name})}",
        chosen,
    )


def _script(given: dict[str, Any]) -> ScriptForm:
    return ScriptForm(
        path=given.get("path") or "",
        args=shlex.join(given.get("args") or []),
        source=given.get("source") or "",
        filename=given.get("filename") or "train.py",
        pasted=bool(given.get("source")),
    )


def _common(values: dict[str, Any]) -> CommonForm:
    resources = {**DEFAULT_RESOURCES, **(values.get("resources") or {})}
    return CommonForm(
        name=values.get("name") or "",
        tags=", ".join(values.get("tags") or []),
        notes=values.get("notes") or "",
        priority=values.get("priority") or 0,
        cpus=resources["cpus"],
        gpus=resources["gpus"],
        max_retries=values.get("max_retries") or 0,
        env="\n".join(f"{name}={value}" for name, value in (values.get("env") or {}).items()),
    )
