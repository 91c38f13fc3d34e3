"""Carries out the steps of attempts that may take long, each in a thread: no attempt waits for another's step.

An attempt has at most one step at work, so its steps come one after the other. What a step raises is kept to its
attempt: a temporary fault (a locked or full database) is reported, so that the step can be repeated; for any other the
step's `otherwise` marks the run with the reason, and goes on as well as it can.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from traindeck.db.engine import is_temporary
from traindeck.errors import describe_error
from traindeck.scheduling.live import LiveAttempt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an attempt.

    Attributes:
        name: For the log.
        work: Does it; True where the attempt is over. None where the dispatcher's loop does it itself.
        otherwise: Is given the reason where `work` has failed for good; True where the attempt is over.
    """

    name: str
    work: Callable[[LiveAttempt], bool] | None
    otherwise: Callable[[LiveAttempt, str], bool]


@dataclass(frozen=True, slots=True)
class Done:
    """A step that has come to its end; `error` is what it failed by."""

    live: LiveAttempt
    step: Step
    over: bool
    error: Exception | None = None


def in_thread(name: str, work: Callable[[], None]) -> threading.Thread | None:
    """Begin work in a thread of its own.

    Raises:
        RuntimeError: the system gives no more threads for now.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


class Steps:
    """The steps that are at work. `wake` is called in the step's thread once it has come to its end.

    `mark` is given the reason where a step's `otherwise` has failed, too.
    """

    def __init__(
        self,
        wake: Callable[[], None],
        mark: Callable[[LiveAttempt, str], bool],
        begin_work: Callable[[str, Callable[[], None]], threading.Thread | None],
    ) -> None:
        self._wake = wake
        self._mark = mark
        self._begin_work = begin_work
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._threads: dict[LiveAttempt, threading.Thread | None] = {}

    def begin(self, live: LiveAttempt, step: Step) -> None:
        """Begin a step of an attempt that has none at work."""
        self._start(live, step, None)

    def begin_otherwise(self, live: LiveAttempt, step: Step, error: Exception) -> None:
        """Take a step of an attempt that has none at work as having failed by `error`."""
        self._start(live, step, error)

    def finished(self) -> Iterator[Done]:
        """The steps that have come to their end since the last call; the attempt of each may begin the next."""
        while True:
            try:
                done = self._done.get_nowait()
            except queue.Empty:
                return
            done.live.busy = False
            self._threads.pop(done.live, None)
            yield done

    def join(self, seconds: float) -> None:
        """Wait for the steps at work, for at most so many seconds; what is cut off the next server does again."""
        deadline = time.monotonic() + seconds
        for thread in list(self._threads.values()):
            if thread is not None:
                thread.join(max(deadline - time.monotonic(), 0))

    def _start(self, live: LiveAttempt, step: Step, error: Exception | None) -> None:
        live.busy = True
        try:
            name = f"run {live.run_id} {step.name}"
            self._threads[live] = self._begin_work(name, partial(self._carry_out, live, step, error))
        except RuntimeError as refused:
            self._done.put(Done(live, step, over=False, error=MemoryError(str(refused))))

    def _carry_out(self, live: LiveAttempt, step: Step, error: Exception | None) -> None:
        done = Done(live, step, over=False, error=error)
        if error is None and step.work is not None:
            done = self._try(live, step, step.work)
        for instead in (step.otherwise, self._mark):
            if done.error is None or is_temporary(done.error):
                break
            tried = self._try(live, step, partial(_with_reason, instead, describe_error(done.error)))
            if tried.error is None:
                # The pause before the next step is still that of a failure.
                done = Done(live, step, tried.over, done.error)
                break
            done = tried
        self._done.put(done)
        self._wake()

    def _try(self, live: LiveAttempt, step: Step, work: Callable[[LiveAttempt], bool]) -> Done:
        try:
            return Done(live, step, work(live))
        except Exception as error:
            names = (live.run_id, live.number, step.name)
            if is_temporary(error):
                logger.warning("run=%d attempt=%d %s has to wait: %s", *names, describe_error(error))
            else:
                logger.exception("run=%d attempt=%d %s failed", *names)
            return Done(live, step, over=False, error=error)


def _with_reason(work: Callable[[LiveAttempt, str], bool], reason: str, live: LiveAttempt) -> bool:
    return work(live, reason)
