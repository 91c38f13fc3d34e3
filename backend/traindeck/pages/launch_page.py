"""The page with the form that launches a run."""

import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from traindeck.pages.form_fields import Group, Schema, field_groups
from traindeck.pages.frontend import render
from traindeck.pages.shell import DeckState, Shell

DEFAULT_RESOURCES = {"cpus": 1, "gpus": 0}
DEFAULT_UPLOAD_MB = 200
SOURCE_NAME = "train.py"
"""The default file name of pasted source."""
WAYS = {
    "path": "File on this machine",
    "upload": "Upload",
    "source": "Paste",
    "module": "Module",
    "command": "Command",
}


@dataclass(frozen=True, slots=True)
class TrainerView:
    """An installed trainer; `schema` is the JSON Schema of its parameters."""

    name: str
    title: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BrokenTrainerView:
    """An installed trainer that cannot be loaded, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Card:
    """A trainer to choose."""

    name: str
    title: str
    description: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """The run to repeat with changes: its program as text; `anew` says how to use its current code instead."""

    id: int
    name: str
    program: str
    where: str
    anew: str


@dataclass(frozen=True, slots=True)
class CommonForm:
    """The fields that every run has, as texts."""

    name: str
    tags: str
    notes: str
    priority: int
    cpus: int
    gpus: int
    max_retries: int
    env: str


@dataclass(frozen=True, slots=True)
class ScriptWay:
    """One way to name a program."""

    name: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ScriptForm:
    """The fields as texts; `way` is the chosen one of `ways`. `more` is True if a rarely used field is set."""

    ways: list[ScriptWay]
    way: str
    path: str
    source: str
    filename: str
    module: str
    command: str
    folder: str
    args: str
    python: str
    cold: bool
    resume_arg: str
    more: bool


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """The form; `mode` is trainer or script."""

    shell: Shell
    cards: list[Card]
    broken: list[BrokenTrainerView]
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
    broken: list[BrokenTrainerView],
    selected: str | None,
    values: dict[str, Any],
    deck: DeckState,
    repeated: Repeated | None = None,
    upload_limit_mb: int = DEFAULT_UPLOAD_MB,
    known_options: str = "",
) -> str:
    """Render the form for the trainer `selected`, or else the first one, filled in with `values`, a POST /runs body.

    Args:
        repeated: The run that `values` belong to, if one is repeated.
        known_options: The answer of POST /launch/options, or "" if the script would have to run for it.
    """
    picked = next((trainer for trainer in trainers if trainer.name == selected), None)
    shown = picked or (trainers[0] if trainers else None)
    cards = [_card(trainer, trainer is shown) for trainer in trainers]
    # The form of another trainer repeats nothing; the run's own may be gone.
    again = repeated if values.get("trainer") in (None, shown and shown.name) else None
    params = (values.get("params") or {}) if shown is not None and values.get("trainer") in (None, shown.name) else {}
    context = LaunchContext(
        shell=Shell(title=f"Edit and run #{again.id}" if again else "New run", section="launch", deck=deck),
        cards=cards,
        broken=broken,
        chosen=next((card for card in cards if card.chosen), None),
        groups=field_groups(shown.schema, params, repeated=again is not None) if shown else [],
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
    """Render the fields of a script's options as a part of the form. With `repeated`, `values` are those of a run."""
    return render("launch/options.html", OptionsContext(field_groups(schema, values, repeated=repeated)))


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


def script_form(given: dict[str, Any]) -> ScriptForm:
    """Return the form filled in with the `script` of a POST /runs body, or empty."""
    way = next((name for name in WAYS if given.get(name)), "path")
    rare = ("python", "cold", "resume_arg", *(() if way in ("module", "command") else ("cwd",)))
    return ScriptForm(
        ways=[ScriptWay(name, label, name == way) for name, label in WAYS.items()],
        way=way,
        path=given.get("path") or "",
        source=given.get("source") or "",
        filename=given.get("filename") or SOURCE_NAME,
        module=given.get("module") or "",
        command=shlex.join(given.get("command") or []),
        folder=given.get("cwd") or "",
        args=shlex.join(given.get("args") or []),
        python=given.get("python") or "",
        cold=bool(given.get("cold")),
        resume_arg=given.get("resume_arg") or "",
        more=any(given.get(name) for name in rare),
    )
