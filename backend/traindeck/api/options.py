"""The options of a script that is launched: read, checked and completed before anything is queued."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from traindeck.api.deck import Deck
from traindeck.errors import DeckBusy, InvalidRequest
from traindeck.flags.inspection import Inspection, Target
from traindeck.flags.launch import resolve_script_params
from traindeck.runs.spec import ScriptSpec

UNCHECKED_SECONDS = 2.0
"""A script that takes longer to come to its parser is queued without a check, unless it has parameters."""


def resolve_options(
    deck: Deck, script: ScriptSpec, target: Target | None, params: Mapping[str, Any], *, override: bool = False
) -> tuple[ScriptSpec, dict[str, Any]]:
    """The script with the arguments to start it with, and all of its parameters.

    A script that is new to the deck is run up to its parser for that, for some seconds at the most; one that does not
    come to it in this time is launched unchecked, as one without a parser is.

    Raises:
        InvalidRequest: the script would refuse an argument or a parameter; or there are parameters, and no parser.
    """
    inspection = Inspection(None, "a command is started as it stands")
    if target is not None:
        inspection = _inspection(deck, target, needed=bool(params))
    args, resolved, errors = resolve_script_params(
        inspection, script.args, params, parsing=deck.inspector, override=override
    )
    if errors:
        raise InvalidRequest(errors)
    return replace(script, args=tuple(args)), resolved


def kept_target(script: ScriptSpec, run_folder: Path) -> Target | None:
    """The script of an earlier run, as its code was kept; None for a command."""
    if script.command or script.code is None:
        return None
    code = run_folder / "code"
    base = Path(script.cwd) if script.cwd else None
    if script.module is not None:
        return Target(path0=code, base=base, module=script.module, python=script.python, cold=script.cold)
    source = code / (script.code.entry or script.filename)
    file = script.path or str(source)
    return Target(path0=source.parent, source=source, file=file, base=base, python=script.python, cold=script.cold)


def _inspection(deck: Deck, target: Target, *, needed: bool) -> Inspection:
    try:
        return deck.inspector.inspect(target) if needed else deck.inspector.inspect_within(target, UNCHECKED_SECONDS)
    except DeckBusy:
        # Many new scripts at once: that some of them are checked by themselves only must not keep them from running.
        if needed:
            raise
        return Inspection(None, "too many others were asked at that moment")
