"""One line of the table: what was measured, without Traindeck and with it, and what it should come to."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should come to: at most `limit`, or at least; of the figure itself, or of the row's ratio."""

    limit: float
    at_least: bool = False
    of_ratio: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure.

    Attributes:
        what: What was measured.
        unit: Of `value` and `baseline`, such as "s", "MB", "runs/s".
        value: What it came to with Traindeck; None where that was not measured.
        baseline: What it came to in the same run without; None where that was not measured.
        without: What was done without Traindeck, or what is known from elsewhere.
        goal: None for a figure that is only reported.
        details: Further figures for the JSON, each with its unit in its name.
    """

    what: str
    unit: str
    value: float | None
    baseline: float | None = None
    without: str = ""
    goal: Goal | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Return how many times better than the baseline it is: of a rate more is better, of all else less."""
        if not self.baseline or not self.value:
            return None
        return self.value / self.baseline if self.unit.endswith("/s") else self.baseline / self.value

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        figure = self.ratio if self.goal and self.goal.of_ratio else self.value
        if self.goal is None or figure is None:
            return None
        return figure >= self.goal.limit if self.goal.at_least else figure <= self.goal.limit

    def as_json(self) -> dict[str, Any]:
        """The row for a program to read."""
        return {**asdict(self), "ratio": self.ratio, "reached": self.reached}
