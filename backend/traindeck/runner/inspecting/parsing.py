"""Has a script's own parser read arguments: the only way to know where options have types of the script's own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from traindeck.runner.inspecting.clicked import unset_as_none
from traindeck.runner.inspecting.values import text_of


class _Refused(Exception):
    pass


class _Early(Exception):
    """Help or a version was asked for."""


def parse_with_argparse(parser: Any, name: str, args: list[str], split: bool) -> dict[str, Any]:
    """What the parser makes of arguments: {"values"} by name, {"refusal": message}, or {"early": true}.

    With `split`, others than this parser read some of the arguments, so nobody can tell.
    """
    if split:
        return {}
    # Sub-parsers are of the same class, or of one that inherits from it.
    argparse.ArgumentParser.error = _refuse  # type: ignore[method-assign, assignment]
    argparse.ArgumentParser.exit = _exit  # type: ignore[method-assign, assignment]
    argparse.ArgumentParser._get_value = _naming(argparse.ArgumentParser._get_value)  # type: ignore[method-assign]
    try:
        known = name.replace("parse_args", "parse_known_args").replace("parse_intermixed", "parse_known_intermixed")
        namespace, extras = getattr(parser, known)(args)
    except _Early:
        return {"early": True}
    except (_Refused, argparse.ArgumentError, SystemExit) as error:
        return {"refusal": text_of(error) or type(error).__name__}
    except Exception as error:
        return {"refusal": type(error).__name__ + ": " + text_of(error)}
    if extras and "known" not in name:
        return {"refusal": "unrecognized arguments: " + " ".join(map(text_of, extras))}
    return {"values": {key: unset_as_none(value) for key, value in _values(parser, namespace)}, "extras": extras}


def _values(parser: Any, namespace: Any) -> Iterator[tuple[str, Any]]:
    """What was read, by name. An option called `model.width` may have become a field of an object called `model`."""
    yield from vars(namespace).items()
    for action in parser._actions:
        first, *fields = str(action.dest).split(".")
        value = getattr(namespace, first, None) if fields and not hasattr(namespace, action.dest) else None
        for name in fields:
            value = getattr(value, name, None)
        if value is not None:
            yield action.dest, value


def _naming(get_value: Callable[..., Any]) -> Callable[..., Any]:
    """As the parser's own, but a type that fails in an unforeseen way is told with its option, too."""

    def named(parser: Any, action: Any, text: Any) -> Any:
        try:
            return get_value(parser, action, text)
        except argparse.ArgumentError:
            raise
        except Exception as error:
            raise argparse.ArgumentError(action, type(error).__name__ + ": " + text_of(error)) from error

    return named


def _refuse(_parser: argparse.ArgumentParser, message: str) -> Any:
    raise _Refused(message)


def _exit(_parser: argparse.ArgumentParser, status: int = 0, message: str | None = None) -> Any:
    raise _Refused(message) if status else _Early


def parse_with_click(command: Any, args: list[str]) -> dict[str, Any]:
    """As `parse_with_argparse`, for a click or Typer command; values are a list, one object for each command."""
    levels = []
    context, name, rest = None, command.name or "", list(args)
    try:
        while True:
            context = command.make_context(name, rest, parent=context)
            levels.append({key: unset_as_none(value) for key, value in context.params.items()})
            rest = [*getattr(context, "_protected_args", []), *context.args]
            if not rest or not hasattr(command, "resolve_command"):
                return {"levels": levels, "extras": rest}
            name, command, rest = command.resolve_command(context, rest)
            levels[-1][""] = name
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        if kind in ("Exit", "NoArgsIsHelpError") or (isinstance(error, SystemExit) and not error.code):
            return {"early": True}
        if kind == "Abort":
            return {"refusal": "it asks for a value, and nobody answers in a run"}
        said = text_of(error.format_message() if hasattr(error, "format_message") else error)
        return {"refusal": said or kind}
