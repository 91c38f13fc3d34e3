"""A trainer's parameters as options of the command line: `--lr 1e-4`, `--channels-last`, `-p seed=1`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.values import FALSE, TRUE, is_flag, value_of


@dataclass(slots=True)
class Parameters:
    """Reads options by the JSON Schema of a trainer's parameters; `own` are the options of the command itself."""

    schema: Mapping[str, Any]
    own: Iterable[str] = ()
    read: dict[str, Any] = field(default_factory=dict)

    def read_options(self, arguments: Iterable[str]) -> None:
        """Read `--name value`, `--name=value`, `--flag` and `--no-flag`; a later one overrides an earlier.

        Raises:
            CommandFailed: an option is unknown or has no value, or something is no option at all.
        """
        left = list(arguments)
        while left:
            option = left.pop(0)
            if not option.startswith("--") or option == "--":
                raise _wrong(f"{option!r} stands alone: give parameters as --name value, or as -p name=value")
            written, equals, text = option.removeprefix("--").partition("=")
            name = self._known(written)
            if name is None:
                self._negate(written, equals)
            elif equals:
                self._set(name, text)
            elif is_flag(self._of(name), self.schema):
                explicit = bool(left) and left[0].lower() in TRUE | FALSE
                self._set(name, left.pop(0) if explicit else "true")
            elif left:
                self._set(name, left.pop(0))
            else:
                raise _wrong(f"--{written} needs a value")

    def read_pairs(self, pairs: Iterable[str]) -> None:
        """Read `name=value`. An unknown name goes to the deck as it is.

        Raises:
            CommandFailed: there is no `=`.
        """
        for pair in pairs:
            name, equals, text = pair.partition("=")
            if not equals or not name:
                raise _wrong(f"-p {pair!r} must be name=value")
            self._set(self._known(name) or name, text)

    def _negate(self, written: str, equals: str) -> None:
        name = self._known(written.removeprefix("no-")) if written.startswith(("no-", "no_")) else None
        if name is None or equals or not is_flag(self._of(name), self.schema):
            raise self._unknown(f"--{written}")
        self.read[name] = False

    def _known(self, written: str) -> str | None:
        """The parameter that is meant: `-` and `_` are the same in an option."""
        names = {name.replace("-", "_"): name for name in self.schema.get("properties", {})}
        return names.get(written.replace("-", "_"))

    def _of(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schema.get("properties", {}).get(name, {})
        return found

    def _set(self, name: str, text: str) -> None:
        self.read[name] = value_of(text, self._of(name), self.schema)

    def _unknown(self, option: str) -> CommandFailed:
        from traindeck.unknown import unknown_name

        known = [f"--{name.replace('_', '-')}" for name in self.schema.get("properties", {})]
        return _wrong(unknown_name("option", option.replace("_", "-"), [*known, *self.own]))


def _wrong(message: str) -> CommandFailed:
    return CommandFailed(message, Exit.USAGE)
