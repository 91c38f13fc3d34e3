"""The options of a script that is launched: read, checked and completed before anything is queued."""

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from pathlib import Path
from typing import Any

from traindeck.api.deck import Deck
from traindeck.errors import DeckBusy, InvalidRequest
from traindeck.options.inspection import Inspection, Parsed, Parsing, Target
from traindeck.options.launch import resolve_script_params
from traindeck.options.resuming import resume_errors
from traindeck.runner.program import Program
from traindeck.runs import commands
from traindeck.scheduling.inspector import Inspector
from traindeck.sources.tree import CodeTree

logger = logging.getLogger(__name__)

UNCHECKED_SECONDS = 2.0
"""A script that takes longer to come to its parser is queued without a check where it has no arguments."""
CHECK_SECONDS = 10.0
"""As much where it has some, and no `params`, which would have to be turned into arguments."""


def resolve_options(
    deck: Deck, script: Program, target: Target | None, params: Mapping[str, Any], *, override: bool = False
) -> tuple[Program, dict[str, Any]]:
    """The script with the arguments to start it with, and all of its parameters.

    A script that is new to the deck is run up to its parser for that, for some seconds at the most; one that does not
    come to it in this time is launched unchecked, as one without a parser is, and says so; see `complete_later`.

    Raises:
        InvalidRequest: the script would refuse an argument or a parameter, or has no such option to resume by; or there
            are parameters, and no parser.
    """
    inspection = Inspection(None, "a command is started as it stands")
    # Parameters have to be turned into arguments: those cannot do without an answer.
    parsing: Parsing = deck.inspector if params else _Hurried(deck.inspector)
    if target is not None:
        inspection = _inspection(deck, target, args=bool(script.args), params=bool(params))
    try:
        args, resolved, errors = resolve_script_params(
            inspection, script.args, params, parsing=parsing, override=override
        )
    except _TooLateError as late:
        return replace(script, unchecked=str(late)), {}
    if inspection.schema is not None:
        errors += resume_errors(inspection.schema, script.resume_arg)
    if errors:
        raise InvalidRequest(errors)
    unchecked = inspection.reason if inspection.late else None
    return replace(script, args=tuple(args), unchecked=unchecked), resolved


def complete_later(deck: Deck, run_id: int, script: Program, target: Target | None) -> None:
    """Give a run that was queued unchecked its parameters, once its script has come to its parser."""
    if target is None or deck.inspector.known(target) is not None:
        return

    def complete(inspected: "Future[Inspection]") -> None:
        try:
            _, params, errors = resolve_script_params(inspected.result(), script.args, {}, parsing=deck.inspector)
            if not errors and params:
                with deck.database.write() as session:
                    commands.describe(session, run_id, params)
        except Exception:
            # The run trains meanwhile, and what it was given stands in its arguments.
            logger.warning("run=%d its parameters could not be read", run_id, exc_info=True)

    deck.inspector.begin(target).add_done_callback(complete)


def kept_target(script: Program, tree: CodeTree | None, run_folder: Path) -> Target | None:
    """Return the script of an earlier run, as its code was kept in `tree`; None for a command."""
    if script.command or tree is None:
        return None
    code = run_folder / "code"
    base = Path(script.cwd) if script.cwd else None
    if script.module is not None:
        return Target(path0=code, base=base, module=script.module, python=script.python, cold=script.cold)
    source = code / (tree.entry or script.filename)
    file = script.path or str(source)
    return Target(path0=source.parent, source=source, file=file, base=base, python=script.python, cold=script.cold)


def _inspection(deck: Deck, target: Target, *, args: bool, params: bool) -> Inspection:
    if params:
        return deck.inspector.inspect(target)
    try:
        return deck.inspector.inspect_within(target, CHECK_SECONDS if args else UNCHECKED_SECONDS)
    except DeckBusy:
        # Many new scripts at once: that some of them are checked by themselves only must not keep them from running.
        if args:
            raise
        return Inspection(None, "too many others were asked at that moment", late=True)


class _TooLateError(Exception):
    """A script did not answer in time; the message says so."""


class _Hurried:
    """Has scripts parse arguments, for those who will not wait for long."""

    def __init__(self, inspector: Inspector) -> None:
        self._inspector = inspector

    def parse(self, target: Target, args: Sequence[str]) -> Parsed:
        """Return what the script's own parser makes of arguments.

        Raises:
            _TooLateError: it takes too long.
        """
        future: Future[Parsed] = Future()

        def ask() -> None:
            try:
                future.set_result(self._inspector.parse(target, args))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=ask, name="parsing", daemon=True).start()
        try:
            return future.result(timeout=CHECK_SECONDS)
        except FutureTimeout as error:
            raise _TooLateError(f"its parser did not answer within {CHECK_SECONDS:g} s") from error
