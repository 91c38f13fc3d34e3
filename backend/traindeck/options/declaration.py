"""What the process that read a script's options reports of them, made ready for use.

A *declaration* is the record of one parser, with those of its sub-parsers in it. Here every option gets its `key`: the
name of its parameter, which no other option of the script has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

Action = Literal[
    "store", "append", "extend", "count", "const", "append_const", "store_true", "store_false", "boolean_optional",
    "exit", "custom_flag",
]  # fmt: skip


class DeclaredChoice(TypedDict):
    """A value that an option takes, and the text that stands for it."""

    text: str
    value: Any


class TakenValue(TypedDict, total=False):
    """What an option takes.

    Attributes:
        kind: Of a value: str, int, float, bool or path.
        custom: Code of the script's own reads it.
        known: Values by the texts that stand for them, where any other text is read otherwise.
        texts: What stands for "true" and for "false".
        truth: Any text but the empty one is true.
    """

    kind: str
    custom: bool
    choices: list[DeclaredChoice]
    ignore_case: bool
    known: dict[str, Any]
    texts: dict[str, str]
    truth: bool
    minimum: float
    exclusive_minimum: float
    maximum: float
    exclusive_maximum: float


class DeclaredOption(TakenValue):
    """An option, as it was declared.

    Attributes:
        flags: None of them for a positional.
        negative: Those of the flags that switch it off.
        nargs: As in argparse.
        opaque: The default is an object that no text stands for.
        asks: The script would ask for it at the terminal.
        checks: Code of the script's own looks at it, and may look at what else is given.
        parts: What each value of a tuple is, where they differ.
    """

    name: str
    key: str
    flags: list[str]
    negative: list[str]
    action: Action
    nargs: int | str | None
    required: bool
    hidden: bool
    help: str
    metavar: Any
    group: str | None
    const: Any
    default: Any
    opaque: bool
    asks: NotRequired[bool]
    checks: NotRequired[bool]
    parts: NotRequired[list[TakenValue]]


class ExclusiveOptions(TypedDict):
    """Options of which only one may be given, by their places."""

    places: list[int]
    required: bool


class DeclaredCommands(TypedDict):
    """The sub-parsers of a parser; `place` is that of their choice among the options."""

    name: str | None
    key: str
    place: int
    required: bool
    title: str
    help: str
    items: list[DeclaredCommand]


class DeclaredParser(TypedDict):
    """One parser.

    Attributes:
        lenient: It passes over arguments that it does not know.
        files: The characters with which an argument names a file of arguments.
        interspersed: Options may follow positionals.
        filled: What is not given may come from elsewhere than the defaults.
        unsure: Code of the script's own decides how arguments are read.
    """

    description: str
    lenient: bool
    options: list[DeclaredOption]
    exclusive: list[ExclusiveOptions]
    commands: DeclaredCommands | None
    intermixed: NotRequired[bool]
    abbreviations: NotRequired[bool]
    prefixes: NotRequired[str]
    files: NotRequired[str]
    interspersed: NotRequired[bool]
    filled: NotRequired[bool]
    unsure: NotRequired[bool]


class DeclaredCommand(DeclaredParser):
    """A sub-parser, and what it is called."""

    name: str
    aliases: list[str]
    help: str
    hidden: NotRequired[bool]


COMMAND = "command"
"""What the choice of a sub-command is called where the script has no name for it."""


@dataclass(frozen=True, slots=True)
class Level:
    """One parser of a script: its record, and the command that leads to it from the one above (none at the top)."""

    record: DeclaredParser
    command: str | None
    above: Level | None

    @property
    def path(self) -> tuple[str, ...]:
        """The commands that lead here."""
        return (*self.above.path, self.command or "") if self.above else ()

    def when(self) -> dict[str, str]:
        """The parameters, and their values, with which the options of this level are there."""
        if self.above is None:
            return {}
        return {**self.above.when(), _commands(self.above.record)["key"]: self.command or ""}


def levels(record: DeclaredParser, command: str | None = None, above: Level | None = None) -> Iterator[Level]:
    """Every parser of a declaration, the top one first."""
    level = Level(record, command, above)
    yield level
    for item in record["commands"]["items"] if record["commands"] else ():
        yield from levels(item, item["name"], level)


def _commands(record: DeclaredParser) -> DeclaredCommands:
    """The commands of a parser that has some."""
    assert record["commands"] is not None
    return record["commands"]


def with_keys(declaration: DeclaredParser) -> DeclaredParser:
    """The declaration with a `key` for every option, and for every choice of a command."""
    found = list(levels(declaration))
    uses = Counter(name for level in found for name in {option["name"] for option in level.record["options"]})
    taken = set(uses)
    for level in found:
        for option in level.record["options"]:
            own = level.above is None or uses[option["name"]] == 1
            option["key"] = option["name"] if own else ".".join((*level.path, option["name"]))
        commands = level.record["commands"]
        if commands:
            wanted = commands["name"] or ".".join((*level.path, COMMAND))
            commands["key"] = _free(wanted, taken)
            taken.add(commands["key"])
    return declaration


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def options_by_key(record: DeclaredParser) -> dict[str, list[DeclaredOption]]:
    """The options of one parser; several may set the same parameter."""
    found: dict[str, list[DeclaredOption]] = {}
    for option in record["options"]:
        found.setdefault(option["key"], []).append(option)
    return found


def chosen_levels(declaration: DeclaredParser, params: dict[str, Any]) -> Iterator[Level]:
    """The parsers that are used with `params`: the top one, that of the chosen command, and so on."""
    for level in levels(declaration):
        if all(params.get(key) == value for key, value in level.when().items()):
            yield level
