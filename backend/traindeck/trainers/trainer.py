"""What a trainer is: a name, the model of its parameters, and the function that trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from traindeck.trainers.context import RunContext

TrainFunction = Callable[[RunContext, Any], None]


@dataclass(frozen=True, slots=True)
class Trainer:
    """An installed training program, found through the entry point group `traindeck.trainers`.

    Attributes:
        name: What `POST /runs` calls it.
        title: What people call it.
        description: One or two sentences for the launch page.
        params: A pydantic model; its JSON Schema becomes the launch form.
        run: The function `(context, params) -> None`, or its address "package.module:function". An address is
            imported in the run's own process only, which keeps torch out of the server.
        extra: The extra of the package that the trainer needs, if any: "tour" for `pip install "traindeck[tour]"`.
    """

    name: str
    title: str
    description: str
    params: type[BaseModel]
    run: TrainFunction | str
    extra: str = ""

    def function(self) -> TrainFunction:
        """Return the function that trains, imported if it was given by its address."""
        if not isinstance(self.run, str):
            return self.run
        module, _, attribute = self.run.partition(":")
        function: TrainFunction = getattr(import_module(module), attribute)
        return function
