"""Launch a run, in three steps: `prepare` keeps its script, `resolve` checks its parameters, `submit` queues it."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from typing import Any

from traindeck.db.engine import Database
from traindeck.errors import DeckBusy, FieldError, InvalidRequest
from traindeck.launches.located import Located, keep, locate
from traindeck.launches.requests import LaunchBody
from traindeck.options.checking import resume_errors
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Inspection, Inspections, Parsed, Parsing, Target
from traindeck.runner.program import Program
from traindeck.runs import commands
from traindeck.runs.commands import RunSpec
from traindeck.runs.files import DeckFiles
from traindeck.runs.queries import show_run
from traindeck.runs.queue import Capacity
from traindeck.runs.view import Resources, RunView
from traindeck.sources.codestore import CodeStore
from traindeck.trainers.entry import UnknownTrainer
from traindeck.trainers.parameters import InvalidParams
from traindeck.trainers.registry import Registry
from traindeck.wording import plural

logger = logging.getLogger(__name__)
UNCHECKED_SECONDS = 2.0
"""A script without arguments that takes longer to reach its parser is queued unchecked."""
CHECK_SECONDS = 10.0
"""The same for a script with arguments. `params` are always waited for, as they have to become arguments."""
NO_COMMAND = "a command is started as it stands: only scripts and modules are asked for their options"


@dataclass(frozen=True, slots=True)
class Launchpad:
    """The parts of a deck that a launch needs.

    Attributes:
        capacity: Returns the slots of the machine.
        wake: Makes the dispatcher look at the queue.
        read_on: Makes the observer read the rest of an attempt's event files, by run and number.
    """

    files: DeckFiles
    database: Database
    registry: Registry
    code: CodeStore
    inspector: Inspections
    capacity: Callable[[], Capacity]
    wake: Callable[[], None]
    read_on: Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Launch:
    """A request, and its script: found, kept and read, but not inspected."""

    body: LaunchBody
    script: Located | None

    @property
    def target(self) -> Target | None:
        """Return the script that may have to be inspected."""
        return self.script.target if self.script else None

    @property
    def checked(self) -> bool:
        """Return whether there are arguments or parameters that the script may refuse."""
        return bool(self.body.params or (self.script and self.script.program.args))


def prepare(pad: Launchpad, body: LaunchBody) -> Launch:
    """Find the requested script, and keep its code.

    Raises:
        InvalidRequest: a field is wrong; every wrong one is named.
    """
    try:
        script = keep(locate(body.script, pad.code), pad.code) if body.script is not None else None
    except InvalidRequest as error:
        raise InvalidRequest([*error.errors, *resource_errors(body.resources, pad.capacity())]) from error
    return Launch(body, script)


def resolve(pad: Launchpad, launch: Launch, inspector: Inspections) -> RunSpec:
    """Return the requested run, with all parameters.

    Raises:
        InvalidRequest: a field is wrong; every wrong one is named.
    """
    body, script = launch.body, launch.script
    errors = resource_errors(body.resources, pad.capacity())
    program, params = None, {}
    try:
        if script is None:
            params = check_params(pad.registry, body.trainer or "", body.params)
        else:
            program, params = resolve_options(inspector, script, body.params)
    except InvalidRequest as error:
        errors = [*error.errors, *errors]
    if errors:
        raise InvalidRequest(errors)
    return RunSpec(
        **{name: getattr(body, name) for name in ("trainer", "name", "notes", "priority", "env", "max_retries")},
        script=program,
        code=script.code if script else None,
        params=params,
        tags=tuple(body.tags),
        resources=body.resources,
    )


def submit(pad: Launchpad, launch: Launch, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run, and start to record its commit and the parameters that are not known yet."""
    view = queue_run(pad, spec, idempotency_key)
    if spec.script is not None:
        pad.code.record_git(spec.code, pad.files.run(view.id).folder)
        if not view.params:
            complete_later(pad, view.id, launch.target, spec.script.args)
    return view


def queue_run(pad: Launchpad, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run, wake the dispatcher, and return the run."""
    with pad.database.write() as session:
        run = commands.submit(session, pad.files, pad.code.blobs, spec, idempotency_key)
        view = show_run(session, run.id or 0, pad.capacity())
    pad.wake()
    return view


def resource_errors(wanted: Resources, capacity: Capacity) -> list[FieldError]:
    """Return an error for each resource of which more is requested than the machine has."""
    errors = []
    for kind, asked, there in (("cpus", wanted.cpus, capacity.cpus), ("gpus", wanted.gpus, capacity.gpus)):
        if asked > there:
            unit = plural(there, {"cpus": "CPU slot", "gpus": "GPU"}[kind])
            message = f"resources.{kind} is {asked}, but this machine has {there or 'no'} {unit} for runs"
            errors.append(FieldError(f"resources.{kind}", message))
    return errors


def check_params(registry: Registry, name: str, params: Mapping[str, Any]) -> dict[str, object]:
    """Return all parameters of the trainer `name`, with defaults for the others; raises InvalidRequest."""
    try:
        return registry.get(name).validate(params)
    except UnknownTrainer as error:
        raise InvalidRequest([FieldError("trainer", str(error))]) from error
    except InvalidParams as error:
        fields = [FieldError(f"params.{one.field}".rstrip("."), one.message) for one in error.errors]
        raise InvalidRequest(fields) from error


def resolve_options(
    inspector: Inspections, script: Located, params: Mapping[str, Any], *, override: bool = False
) -> tuple[Program, dict[str, Any]]:
    """Return the script with the arguments to start it with, and all of its parameters.

    For this, a script that is new to the deck is run up to its parser, for a few seconds at most. If it does not reach
    its parser in time, it is launched unchecked, and the run says so; see `complete_later`.

    Raises:
        InvalidRequest: the script would refuse an argument or a parameter, lacks the option to resume by, or has
            parameters but no parser.
    """
    inspection, program = Inspection(None, "a command is started as it stands"), script.program
    # Parameters become arguments, which requires an answer of the script.
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
    """Return the options that a script declares, or why a command has none."""
    return Inspection(None, NO_COMMAND) if target is None else inspector.inspect(target)


def complete_later(pad: Launchpad, run_id: int, target: Target | None, args: Sequence[str]) -> None:
    """Add the parameters of a run that was queued unchecked, once its script has reached its parser."""
    if target is None or pad.inspector.known(target) is not None:
        return

    def complete(inspected: "Future[Inspection]") -> None:
        try:
            _, params, errors = resolve_script_params(inspected.result(), args, {}, parsing=pad.inspector)
            if not errors and params:
                with pad.database.write() as session:
                    commands.describe(session, run_id, params)
        except Exception:
            # The run is training, and its arguments contain the values.
            logger.warning("run=%d its parameters could not be read", run_id, exc_info=True)

    pad.inspector.begin(target).add_done_callback(complete)


def _inspection(inspector: Inspections, target: Target, *, args: bool, params: bool) -> Inspection:
    if params:
        return inspector.inspect(target)
    try:
        return inspector.inspect_within(target, CHECK_SECONDS if args else UNCHECKED_SECONDS)
    except DeckBusy:
        # With many new scripts at once, some are only checked by themselves when they run.
        if args:
            raise
        return Inspection(None, "too many others were inspected at that moment", late=True)


class _TooLateError(Exception):
    """A script did not answer in time; the message says so."""


class _Hurried:
    """Has scripts parse arguments, with a deadline."""

    def __init__(self, inspector: Inspections) -> None:
        self._inspector = inspector

    def parse(self, target: Target, args: Sequence[str]) -> Parsed:
        """Return how the script's own parser reads arguments.

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
    """Returns the known options of scripts, and raises an error instead of running one."""

    def __init__(self, inspector: Inspections, error: Exception) -> None:
        self._inspector = inspector
        self._error = error

    def known(self, target: Target) -> Inspection | None:
        """Return the known options, or None."""
        return self._inspector.known(target)

    def inspect(self, target: Target) -> Inspection:
        """Return the known options; raises the error if there are none."""
        found = self.known(target)
        if found is None:
            raise self._error
        return found

    def inspect_within(self, target: Target, seconds: float) -> Inspection:  # noqa: ARG002
        """Return the known options; raises the error if there are none."""
        return self.inspect(target)

    def begin(self, target: Target) -> Future[Inspection]:  # noqa: ARG002
        """Raise the error, because the script would have to be run."""
        raise self._error

    def parse(self, target: Target, args: Sequence[str]) -> Parsed:  # noqa: ARG002
        """Raise the error, because the script would have to be run."""
        raise self._error
