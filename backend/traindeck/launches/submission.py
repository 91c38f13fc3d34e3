"""Turns what was asked into a run that can be queued, or says what is wrong with it; and queues it."""

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
    """What runs are launched with.

    Attributes:
        capacity: What the machine has for runs.
        wake: Has the queue looked at.
        read_on: Has the rest of an attempt's event files read, by run and number.
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
    """What was asked, and the script that it names: found, kept and read, but not asked for its options."""

    body: LaunchBody
    script: Located | None

    @property
    def target(self) -> Target | None:
        """What may have to be asked for its options."""
        return self.script.target if self.script else None

    @property
    def checked(self) -> bool:
        """True where there are arguments or parameters that the script may refuse."""
        return bool(self.body.params or (self.script and self.script.program.args))


def prepare(pad: Launchpad, body: LaunchBody) -> Launch:
    """Find the script that is asked for, and keep its code.

    Raises:
        InvalidRequest: a field is wrong; every wrong one is named.
    """
    try:
        script = keep(locate(body.script, pad.code), pad.code) if body.script is not None else None
    except InvalidRequest as error:
        raise InvalidRequest([*error.errors, *resource_errors(body.resources, pad.capacity())]) from error
    return Launch(body, script)


def resolve(pad: Launchpad, launch: Launch, inspector: Inspections) -> RunSpec:
    """Return the run that is asked for, with every parameter.

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
        trainer=body.trainer,
        script=program,
        code=script.code if script else None,
        params=params,
        name=body.name,
        tags=tuple(body.tags),
        notes=body.notes,
        priority=body.priority,
        resources=body.resources,
        env=dict(body.env),
        max_retries=body.max_retries,
    )


def submit(pad: Launchpad, launch: Launch, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run, and have recorded what is not known of its script yet."""
    view = queue_run(pad, spec, idempotency_key)
    if spec.script is not None:
        pad.code.record_git(spec.code, pad.files.run(view.id).folder)
        if not view.params:
            complete_later(pad, view.id, launch.target, spec.script.args)
    return view


def queue_run(pad: Launchpad, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run, and have it started where it can be; the run as it is then."""
    with pad.database.write() as session:
        if idempotency_key is None:
            run = commands.submit(session, pad.files, pad.code.blobs, spec)
        else:
            run = commands.submit_once(session, pad.files, pad.code.blobs, spec, idempotency_key)
        assert run.id is not None
        view = show_run(session, run.id, pad.capacity())
    pad.wake()
    return view


def resource_errors(wanted: Resources, capacity: Capacity) -> list[FieldError]:
    """Return what is asked for beyond what the machine has for runs."""
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
