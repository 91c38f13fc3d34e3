"""The form that launches a run."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.environment import render
from traindeck.pages.fields import Group, Schema, groups
from traindeck.pages.scriptform import ScriptForm, script_form

DEFAULT_RESOURCES = {"cpus": 1, "gpus": 0}
DEFAULT_UPLOAD_MB = 200


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
class Repeated:
    """The run that is to be repeated with changes: its program in words, `anew` how to take its code as it is now."""

    id: int
    name: str
    program: str
    where: str
    anew: str


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
    repeated: Repeated | None
    common: CommonForm
    mode: str
    cpus_total: int
    gpus_total: int
    upload_limit_bytes: int
    known_options: str


@dataclass(frozen=True, slots=True)
class OptionsContext:
    """The options of a script."""

    groups: list[Group]


def render_launch(
    trainers: list[TrainerView],
    broken: list[BrokenTrainer],
    selected: str | None,
    values: dict[str, Any],
    deck: DeckState,
    repeated: Repeated | None = None,
    upload_limit_mb: int = DEFAULT_UPLOAD_MB,
    known_options: str = "",
) -> str:
    """The form for the trainer `selected`, or the first one; `values` is a POST /runs body to fill in.

    It is that of the run `repeated`, if one is, with its program in it for the case that it shall not be repeated.
    `known_options` is what POST /launch/options would answer, "" where the script would have to be run for it.
    """
    picked = next((trainer for trainer in trainers if trainer.name == selected), None)
    shown = picked or (trainers[0] if trainers else None)
    cards = [_card(trainer, trainer is shown) for trainer in trainers]
    # The form of another trainer than the run's, which may be gone, repeats nothing.
    again = repeated if values.get("trainer") in (None, shown and shown.name) else None
    params = (values.get("params") or {}) if shown is not None and values.get("trainer") in (None, shown.name) else {}
    context = LaunchContext(
        shell=Shell(title=f"Edit and run #{again.id}" if again else "New run", section="launch", deck=deck),
        cards=cards,
        broken=broken,
        chosen=next((card for card in cards if card.chosen), None),
        groups=groups(shown.schema, params, repeated=again is not None) if shown else [],
        script=script_form(values.get("script") or {}),
        repeated=again,
        common=_common(values),
        mode="script" if values.get("script") or not trainers else "trainer",
        cpus_total=deck.cpus_total,
        gpus_total=deck.gpus_total,
        upload_limit_bytes=upload_limit_mb * 1_000_000,
        known_options=known_options,
    )
    return render("launch/page.html", context)


def render_options(schema: Schema, values: dict[str, Any], *, repeated: bool) -> str:
    """The fields of a script's options, a part of the form; `repeated`: `values` are those of a run."""
    return render("launch/options.html", OptionsContext(groups(schema, values, repeated=repeated)))


def _card(trainer: TrainerView, chosen: bool) -> Card:
    return Card(
        trainer.name,
        trainer.title,
        trainer.description,
        f"/launch?{urlencode({'trainer': trainer.name})}",
        chosen,
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
