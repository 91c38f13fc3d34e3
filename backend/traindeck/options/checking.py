"""Parameters checked against the options that a script declares, with errors that say what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traindeck.errors import FieldError
from traindeck.options.declaration import DeclaredOption, chosen_levels, levels
from traindeck.options.schema import Schema
from traindeck.options.validity import alike, as_declared, equal, faults, in_case
from traindeck.trainers.parameters import ParamError, param_errors
from traindeck.wording import nearest, unknown_names

RESUME_FIELD = "script.resume_arg"
VALUED = frozenset({"store", "append", "extend"})


def check_params(schema: Schema, params: Mapping[str, Any]) -> tuple[dict[str, Any], list[ParamError]]:
    """The parameters that were given, as their types have them, and what is wrong with them.

    A whole number stands for a float where the option takes one. Parameters of a sub-command that was not chosen are
    left out, unless they were given a value of their own: that is an error.
    """
    properties = schema["properties"]
    unknown = [name for name in params if name not in properties]
    errors = list(map(ParamError, unknown, unknown_names("parameter", unknown, properties)))
    given: dict[str, Any] = {}
    for name, value in params.items():
        if name in properties:
            given[name], found = _checked(name, properties[name], value)
            errors += found
    errors += _misplaced(schema, given)
    errors += missing(schema, given)
    errors += _excluded(schema, given)
    return given, errors


def _checked(name: str, declared: Schema, value: Any) -> tuple[Any, list[ParamError]]:
    plain, nullable = _plain(declared)
    required = bool(declared["x-flag"].get("required"))
    if not required and "default" in declared and alike(value, declared["default"]):
        return as_declared(plain, declared["default"]), []
    if value is None and nullable:
        return None, []
    flag = declared["x-flag"]
    if flag.get("custom") and isinstance(value, str):
        # What text stands for is up to the script, which is asked.
        return value, []
    if flag["nargs"] == "?" and flag["const"] is not None and equal(value, flag["const"]):
        return flag["const"], []
    if _stands_for_text(declared, value):
        return str(value), []
    value = as_declared(plain, in_case(plain, value) if flag.get("ignore_case") else value)
    return value, param_errors([{**one, "loc": (name,)} for one in faults(plain, value)], ())


def _stands_for_text(declared: Schema, value: Any) -> bool:
    """Whether a number, or true or false, is given to an option that takes text, and whose default is such a one."""
    default = declared.get("default")
    scalar = isinstance(value, bool | int | float) and type(value) is type(default)
    return scalar and _plain(declared)[0].get("type") == "string"


def _plain(declared: Schema) -> tuple[Schema, bool]:
    """The schema of a value, and whether it may be null."""
    if "anyOf" in declared:
        return declared["anyOf"][0], {"type": "null"} in declared["anyOf"]
    return declared, False


def _active(schema: Schema, given: Mapping[str, Any]) -> set[str]:
    """The names of the parameters that there are with the chosen commands."""
    levels = list(chosen_levels(schema["x-declared"], dict(given)))
    keys = {option["key"] for level in levels for option in level.record["options"]}
    return keys | {level.record["commands"]["key"] for level in levels if level.record["commands"]}


def _misplaced(schema: Schema, given: dict[str, Any]) -> list[ParamError]:
    active = _active(schema, given)
    errors = []
    for name in [name for name in given if name not in active]:
        declared = schema["properties"][name]
        if not equal(given[name], declared.get("default")):
            command = " ".join(declared["x-when"].values())
            errors.append(ParamError(name, f"{name} goes with the command {command!r}, which was not chosen"))
        del given[name]
    return errors


def missing(schema: Schema, given: Mapping[str, Any]) -> list[ParamError]:
    """The parameters that are required beside those that are given."""
    active = _active(schema, given)
    names = [name for name, one in schema["properties"].items() if one["x-flag"].get("required") and name in active]
    return [
        ParamError(name, f"{name} is required: {_how(schema['properties'][name]['x-flag'])}")
        for name in names
        if name not in given
    ]


def _how(flag: Mapping[str, Any]) -> str:
    if not flag["flags"]:
        return "the script cannot be started without it"
    return f"the script cannot be started without {max(flag['flags'], key=len)}"


def _excluded(schema: Schema, given: Mapping[str, Any]) -> list[ParamError]:
    errors, active = [], _active(schema, given)
    for group in schema["x-exclusive"]:
        if not active & set(group["names"]):
            continue
        chosen = [name for name in group["names"] if name in given and _differs(schema, name, given[name])]
        if len(chosen) > 1:
            errors.append(ParamError(chosen[1], f"{chosen[1]} cannot be given together with {chosen[0]}"))
        elif not chosen and group["required"]:
            errors.append(ParamError(group["names"][0], f"one of {', '.join(group['names'])} is required"))
    return errors


def _differs(schema: Schema, name: str, value: Any) -> bool:
    return not equal(value, schema["properties"][name].get("default"))


def resume_errors(schema: Schema, option: str | None) -> list[FieldError]:
    """What is wrong with `option`, as far as the declared options tell: there is no such one, or it takes no value."""
    declared = schema["x-declared"]
    if not option or not option.startswith("-") or declared.get("lenient"):
        return []
    wanted = option.removesuffix("=")
    options: list[DeclaredOption] = [one for level in levels(declared) for one in level.record["options"]]
    # Parsers take the beginning of a long option for the whole of it.
    meant = [one for one in options if any(flag.startswith(wanted) for flag in one["flags"])]
    if not meant:
        flags = [flag for one in options for flag in one["flags"]]
        near = nearest(wanted, flags)
        hint = f"; did you mean {near!r}?" if near else ""
        return [FieldError(RESUME_FIELD, f"script.resume_arg is {option!r}, but the script has no such option{hint}")]
    if not any(one["action"] in VALUED for one in meant):
        return [
            FieldError(
                RESUME_FIELD, f"script.resume_arg is {option!r}, but that option of the script takes no checkpoint"
            )
        ]
    return []
