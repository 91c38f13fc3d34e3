"""What the process that read a script's options reports of them, made ready for use.

A *declaration* is the record of one parser: `options` in the order in which they were declared, mutually `exclusive`
groups of them (by their places), `commands` (the records of its sub-parsers) and how arguments are read. An option has
a `name`, `flags` (none for a positional), an `action` (store, append, extend, count, const, append_const, store_true,
store_false, boolean_optional, exit, custom_flag), `nargs` as in argparse, and for a value its `kind` (str, int, float,
bool, path), `choices` and bounds. `custom` ones are read by code of the script's own.

Here every option gets its `key`: the name of its parameter, which no other option of the script has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]

COMMAND = "command"
"""What the choice of a sub-command is called where the script has no name for it."""


@dataclass(frozen=True, slots=True)
class Level:
    """One parser of a script: its record, and the command that leads to it from the one above (none at the top)."""

    record: Record
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
        return {**self.above.when(), self.above.record["commands"]["key"]: self.command or ""}


def levels(record: Record, command: str | None = None, above: Level | None = None) -> Iterator[Level]:
    """Every parser of a declaration, the top one first."""
    level = Level(record, command, above)
    yield level
    for item in (record["commands"] or {}).get("items", ()):
        yield from levels(item, item["name"], level)


def with_keys(declaration: Record) -> Record:
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


def options_by_key(record: Record) -> dict[str, list[Record]]:
    """The options of one parser; several may set the same parameter."""
    found: dict[str, list[Record]] = {}
    for option in record["options"]:
        found.setdefault(option["key"], []).append(option)
    return found


def chosen_levels(declaration: Record, params: dict[str, Any]) -> Iterator[Level]:
    """The parsers that are used with `params`: the top one, that of the chosen command, and so on."""
    for level in levels(declaration):
        if all(params.get(key) == value for key, value in level.when().items()):
            yield level
