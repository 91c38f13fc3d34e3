"""The arguments and parameters that a script is started with: read, checked and completed before a run is queued."""

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from typing import Any

from traindeck.errors import DeckBusy, InvalidRequest
from traindeck.launches.launchpad import Launchpad
from traindeck.launches.located import Located
from traindeck.options.checking import resume_errors
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Inspection, Inspections, Parsed, Parsing, Target
from traindeck.runner.program import Program
from traindeck.runs import commands

logger = logging.getLogger(__name__)

UNCHECKED_SECONDS = 2.0
"""A script without arguments that takes longer to reach its parser is queued unchecked."""
CHECK_SECONDS = 10.0
"""The same for a script with arguments. `params` are always waited for, as they have to become arguments."""
NO_COMMAND = "a command is started as it stands: only scripts and modules are asked for their options"


def resolve_options(
    inspector: Inspections, script: Located, params: Mapping[str, Any], *, override: bool = False
) -> tuple[Program, dict[str, Any]]:
    """Return the script with the arguments to start it with, and all of its parameters.

    A script that is new to the deck is run up to its parser for that, for a few seconds at most. If it does not reach
    its parser in this time, it is launched unchecked, and the run says so; see `complete_later`.

    Raises:
        InvalidRequest: the script would refuse an argument or a parameter, or has no such option to resume by; or there
            are parameters, and no parser.
    """
    inspection, program = Inspection(None, "a command is started as it stands"), script.program
    # Parameters have to be turned into arguments: those cannot do without an answer.
    parsing: Parsing = inspector if params else _Hurried(inspector)
    if script.target is not None:
        inspection = _inspection(inspector, script.target, args=bool(program.args), params=bool(params))
    try:
        args, resolved, errors = resolve_script_params(
            inspection, program.args, params, parsing=parsing, override=override
        )
    except _TooLateError as late:
        return replace(program, unchecked=str(late)), {}
    if inspection.schema is not None:
        errors += resume_errors(inspection.schema, program.resume_arg)
    if errors:
        raise InvalidRequest(errors)
    unchecked = inspection.reason if inspection.late else None
    return replace(program, args=tuple(args), unchecked=unchecked), resolved


def inspect(inspector: Inspections, target: Target | None) -> Inspection:
    """Return what a script declares, or why a command declares nothing."""
    return Inspection(None, NO_COMMAND) if target is None else inspector.inspect(target)


def complete_later(pad: Launchpad, run_id: int, target: Target | None, args: Sequence[str]) -> None:
    """Give a run that was queued unchecked its parameters, once its script has reached its parser."""
    if target is None or pad.inspector.known(target) is not None:
        return

    def complete(inspected: "Future[Inspection]") -> None:
        try:
            _, params, errors = resolve_script_params(inspected.result(), args, {}, parsing=pad.inspector)
            if not errors and params:
                with pad.database.write() as session:
                    commands.describe(session, run_id, params)
        except Exception:
            # The run trains meanwhile, and what it was given stands in its arguments.
            logger.warning("run=%d its parameters could not be read", run_id, exc_info=True)

    pad.inspector.begin(target).add_done_callback(complete)


def _inspection(inspector: Inspections, target: Target, *, args: bool, params: bool) -> Inspection:
    if params:
        return inspector.inspect(target)
    try:
        return inspector.inspect_within(target, CHECK_SECONDS if args else UNCHECKED_SECONDS)
    except DeckBusy:
        # Many new scripts at once: that some of them are checked by themselves only must not keep them from running.
        if args:
            raise
        return Inspection(None, "too many others were asked at that moment", late=True)


class _TooLateError(Exception):
    """A script did not answer in time; the message says so."""


class _Hurried:
    """Has scripts parse arguments, for those who will not wait for long."""

    def __init__(self, inspector: Inspections) -> None:
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


class KnownOnly:
    """Returns what is known of scripts, and raises an error instead of asking one."""

    def __init__(self, inspector: Inspections, error: Exception) -> None:
        self._inspector = inspector
        self._error = error

    def known(self, target: Target) -> Inspection | None:
        """Return what is known, or None."""
        return self._inspector.known(target)

    def inspect(self, target: Target) -> Inspection:
        """Return what is known; raises the error where nothing is."""
        found = self.known(target)
        if found is None:
            raise self._error
        return found

    def inspect_within(self, target: Target, seconds: float) -> Inspection:  # noqa: ARG002
        """Return what is known; raises the error where nothing is."""
        return self.inspect(target)

    def begin(self, target: Target) -> Future[Inspection]:  # noqa: ARG002
        """Raise the error: the script itself would have to be asked."""
        raise self._error

    def parse(self, target: Target, args: Sequence[str]) -> Parsed:  # noqa: ARG002
        """Raise the error: the script itself would have to be asked."""
        raise self._error
