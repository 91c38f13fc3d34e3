"""Scripts that are asked for their options without a process, and launches of them."""

from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from traindeck.launches.requests import LaunchBody
from traindeck.launches.submission import Launchpad, prepare, resolve, submit
from traindeck.options.inspection import Inspection, Parsed, Target
from traindeck.runs.view import RunView


class Answers:
    """Says the same of every script; an error is raised instead."""

    def __init__(self, answer: Inspection | Exception) -> None:
        self.answer = answer

    def inspect(self, target: Target) -> Inspection:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def known(self, target: Target) -> Inspection | None:
        return None

    def inspect_within(self, target: Target, seconds: float) -> Inspection:
        return self.inspect(target)

    def begin(self, target: Target) -> "Future[Inspection]":
        future: Future[Inspection] = Future()
        future.set_result(self.inspect(target))
        return future

    def parse(self, target: Target, args: Any) -> Parsed:
        return Parsed()


FORMLESS = Answers(Inspection(None, "it has no parser"))
NEVER = Answers(AssertionError("the script is asked"))


def asked(**fields: Any) -> LaunchBody:
    return LaunchBody.model_validate(fields)


def launched(pad: Launchpad, body: LaunchBody, inspector: Any = FORMLESS) -> RunView:
    launch = prepare(pad, body)
    return submit(replace(pad, inspector=inspector), launch, resolve(pad, launch, inspector), None)
