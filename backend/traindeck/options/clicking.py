"""Reads arguments as click does for a command with the declared options.

The rules are those of click's own parser: flags in full, short ones may be clustered, an option takes as many
arguments as it declares, whatever they look like, and what remains is handed out to the positionals from both ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traindeck.options.declaration import DeclaredCommands, DeclaredOption, DeclaredParser
from traindeck.options.reading import Early, ReadArguments, RefusedArguments, converter, out_of_bounds, parts_of
from traindeck.wording import counted

MISSING_COMMAND = "Missing command."


def read_with_click(declaration: DeclaredParser, args: Sequence[str]) -> ReadArguments:
    """Read `args` by the rules of click."""
    reading = ReadArguments()
    try:
        _Command(declaration, reading).read(list(args))
    except Early:
        reading.early = True
    except RefusedArguments as error:
        reading.refusal = str(error)
    return reading


class _Command:
    """One command: reads its own options, and has the command below read the rest."""

    def __init__(self, record: DeclaredParser, reading: ReadArguments) -> None:
        self.record = record
        self.reading = reading
        reading.unsure |= bool(record["unsure"]) or any(option.get("checks") for option in record["options"])
        self.flags = {flag: option for option in record["options"] for flag in [*option["flags"], *option["negative"]]}
        self.given: dict[str, Any] = {}
        self.texts: dict[str, list[list[str] | None]] = {}
        self.taking: dict[str, DeclaredOption] = {}
        self.left: list[str] = []
        self.rest: list[str] = []

    def read(self, args: list[str]) -> None:
        """Read all arguments, into the reading."""
        self.rest = args
        self._read_options()
        self._convert_taken()
        left = self._read_positionals([*self.left, *self.rest])
        for option in self.record["options"]:
            if option["required"] and option["key"] not in self.given:
                raise RefusedArguments(f"Missing {'option' if option['flags'] else 'argument'} '{_shown(option)}'.")
        self.reading.values.update(self.given)
        if commands := self.record["commands"]:
            self._read_command(commands, left)
        elif left and not self.record["lenient"]:
            raise RefusedArguments(f"Got unexpected extra argument{'s' if len(left) > 1 else ''} ({' '.join(left)})")
        else:
            self.reading.extras = left

    def _read_command(self, commands: DeclaredCommands, left: list[str]) -> None:
        if not left:
            if commands["required"]:
                raise RefusedArguments(MISSING_COMMAND)
            return
        found = next((item for item in commands["items"] if item["name"] == left[0]), None)
        if found is None:
            raise RefusedArguments(f"No such command '{left[0]}'.")
        self.reading.values[commands["key"]] = found["name"]
        _Command(found, self.reading).read(left[1:])

    def _read_options(self) -> None:
        while self.rest:
            arg = self.rest.pop(0)
            if arg == "--":
                return
            if arg[:1] == "-" and len(arg) > 1:
                self._read_flag(arg)
            elif self.record["interspersed"]:
                self.left.append(arg)
            else:
                self.rest.insert(0, arg)
                return

    def _read_flag(self, arg: str) -> None:
        flag, equals, value = arg.partition("=")
        if flag in self.flags and not _is_short(flag):
            option = self.flags[flag]
            if equals and not _takes_value(option):
                raise RefusedArguments(f"Option '{flag}' does not take a value.")
            if equals:
                self.rest.insert(0, value)
            self._take(option, flag)
        elif arg[:2] != "--":
            self._read_short(arg)
        elif self.record["lenient"]:
            self.left.append(arg)
        else:
            raise RefusedArguments(f"No such option '{flag}'.")

    def _read_short(self, arg: str) -> None:
        unknown = ""
        for place, letter in enumerate(arg[1:], start=2):
            option = self.flags.get(f"-{letter}")
            if option is None:
                if not self.record["lenient"]:
                    raise RefusedArguments(f"No such option '-{letter}'.")
                unknown += letter
                continue
            stop = _takes_value(option) and place < len(arg)
            if stop:
                self.rest.insert(0, arg[place:])
            self._take(option, f"-{letter}")
            if stop:
                break
        if unknown:
            self.left.append(f"-{unknown}")

    def _take(self, option: DeclaredOption, flag: str) -> None:
        action, key = option["action"], option["key"]
        if action == "exit":
            raise Early
        if action == "custom_flag":
            self.reading.unsure = True
        elif action == "count":
            self.given[key] = self.given.get(key, 0) + 1
        elif action in ("store_true", "store_false", "const"):
            self.given[key] = option["const"]
        elif action == "boolean_optional":
            self.given[key] = flag not in option["negative"]
        else:
            texts = self._texts(option, flag)
            # Of an option that is given twice, click never looks at the first value.
            self.texts[key] = [*self.texts.get(key, []), texts] if action == "append" else [texts]
            self.taking[key] = option
            self.given.pop(key, None)
            return
        self.texts.pop(key, None)
        self.reading.unsure |= bool(option["custom"]) and not _takes_value(option)

    def _convert_taken(self) -> None:
        for key, several in self.texts.items():
            option = self.taking[key]
            values = [self._value(option, texts) for texts in several]
            self.given[key] = values if option["action"] == "append" else values[0]

    def _value(self, option: DeclaredOption, texts: list[str] | None) -> Any:
        if texts is None:
            return option["const"]
        values = self._converted(option, texts)
        return values if isinstance(option["nargs"], int) else values[0]

    def _texts(self, option: DeclaredOption, flag: str) -> list[str] | None:
        """The arguments that an option takes; None where it may be given without one, and is."""
        nargs = option["nargs"]
        if nargs == "?":
            omitted = not self.rest or (self.rest[0][:1] == "-" and len(self.rest[0]) > 1)
            return None if omitted else [self.rest.pop(0)]
        wanted = nargs if isinstance(nargs, int) else 1
        if len(self.rest) < wanted:
            needs = "an argument" if wanted == 1 else counted(wanted, "argument")
            raise RefusedArguments(f"Option '{flag}' requires {needs}.")
        texts, self.rest = self.rest[:wanted], self.rest[wanted:]
        return texts

    def _read_positionals(self, texts: list[str]) -> list[str]:
        """Hand `texts` out to the positionals; what is left over."""
        positionals = [option for option in self.record["options"] if not option["flags"]]
        open_ended = next((place for place, one in enumerate(positionals) if one["nargs"] in ("*", "+")), None)
        first = positionals if open_ended is None else positionals[:open_ended]
        for option in first:
            texts = self._place(option, texts[: _width(option)], texts[_width(option) :])
        if open_ended is None:
            return texts
        for option in reversed(positionals[open_ended + 1 :]):
            at = max(len(texts) - _width(option), 0)
            texts = self._place(option, texts[at:], texts[:at])
        return self._place(positionals[open_ended], texts, [])

    def _place(self, option: DeclaredOption, texts: list[str], left: list[str]) -> list[str]:
        nargs = option["nargs"]
        if texts and isinstance(nargs, int) and len(texts) < nargs:
            raise RefusedArguments(f"Argument '{_shown(option)}' takes {counted(nargs, 'value')}.")
        if texts:
            values = self._converted(option, texts)
            self.given[option["key"]] = values[0] if nargs is None else values
        return left

    def _converted(self, option: DeclaredOption, texts: list[str]) -> list[Any]:
        return [self._convert(part, text) for part, text in zip(parts_of(option, len(texts)), texts, strict=True)]

    def _convert(self, option: DeclaredOption, text: str) -> Any:
        try:
            value = converter(option, self.reading)(text)
        except ValueError:
            kind = {"int": "integer", "bool": "boolean"}.get(option["kind"], option["kind"])
            raise RefusedArguments(f"Invalid value for '{_shown(option)}': '{text}' is not a valid {kind}.") from None
        values = [choice["value"] for choice in option.get("choices") or ()]
        if values and value not in values:
            raise RefusedArguments(
                f"Invalid value for '{_shown(option)}': '{text}' is not one of {', '.join(map(repr, values))}."
            )
        wrong = out_of_bounds(option, value)
        if wrong:
            raise RefusedArguments(f"Invalid value for '{_shown(option)}': {text} is not {wrong}.")
        return value


def _is_short(flag: str) -> bool:
    return len(flag) == 2


def _takes_value(option: DeclaredOption) -> bool:
    return option["action"] in ("store", "append")


def _width(option: DeclaredOption) -> int:
    return option["nargs"] if isinstance(option["nargs"], int) else 1


def _shown(option: DeclaredOption) -> str:
    return max(option["flags"], key=len) if option["flags"] else str(option["name"]).upper()
