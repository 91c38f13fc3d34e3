"""Combine the arguments and the parameters of a request into those of a run, and report what the script refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from traindeck.errors import FieldError
from traindeck.options.checking import check_params, missing
from traindeck.options.clicking import MISSING_COMMAND
from traindeck.options.conversion import Inexpressible, args_of, completed, read_args, read_partly, values_to_answer
from traindeck.options.declaration import chosen_levels, levels
from traindeck.options.inspection import Inspection, Parsed, Parsing, Target
from traindeck.options.reading import ReadArguments
from traindeck.options.schema import Schema
from traindeck.trainers.parameters import ParamError

Resolved = tuple[list[str], dict[str, Any], list[FieldError]]
ARGS = "script.args"
QUOTED = re.compile(r"'([^']+)'")


def resolve_script_params(
    inspection: Inspection,
    args: Sequence[str],
    params: Mapping[str, Any],
    *,
    parsing: Parsing | None = None,
    override: bool = False,
) -> Resolved:
    """The arguments to start with, all parameters, and what is wrong with them.

    Arguments stay as they are where no parameters come with them, and the script would ask for none. With both, an
    option is given by one of them only, unless `override` is set: then parameters go before arguments. `parsing` is
    asked about options whose values the script's own code reads; without it they are taken on trust. A script without
    a form has its arguments, and no parameters.
    """
    schema = inspection.schema
    if schema is None:
        errors = [FieldError("params", f"params need a form, which the script has not: {inspection.reason}")]
        return list(args), {}, errors if params else []
    # What is missing of the arguments may be among the parameters.
    reading = read_partly(schema, args)
    if params and reading.from_file:
        message = "script.args name a file of arguments, which does not go with params: give all as one of the two"
        return list(args), {}, [FieldError("script.args", message)]
    filled = bool(params) or (
        reading.refusal is None and not reading.early and values_to_answer(schema, reading.values)
    )
    reading = reading if filled else _read(schema, inspection.target, args, parsing)
    if reading.refusal is not None:
        return list(args), {}, of_args(schema, args, reading.refusal)
    if not filled:
        return list(args), {} if reading.unknown else completed(schema, reading.values), []
    return _merged(schema, inspection.target, reading, params, parsing, override=override)


def _merged(
    schema: Schema,
    target: Target | None,
    reading: ReadArguments,
    params: Mapping[str, Any],
    parsing: Parsing | None,
    *,
    override: bool,
) -> Resolved:
    errors = [] if override else _twice(schema, reading.values, params)
    hidden = {name: value for name, value in reading.values.items() if name not in schema["properties"]}
    shown = {name: value for name, value in reading.values.items() if name not in hidden}
    merged, refused = check_params(schema, {**shown, **params})
    errors += as_fields(refused)
    args: list[str] = []
    if not errors:
        try:
            args = [*args_of(schema, merged, hidden), *reading.extras]
        except Inexpressible as error:
            return [], {}, [FieldError(f"params.{error.key}".rstrip("."), str(error))]
        told = _read(schema, target, args, parsing)
        errors = [of_params(schema, merged, told.refusal)] if told.refusal is not None else []
        merged = {**merged, **told.values}
    return (args, completed(schema, merged), []) if not errors else ([], {}, errors)


def _twice(schema: Schema, read: Mapping[str, Any], params: Mapping[str, Any]) -> list[FieldError]:
    properties = schema["properties"]
    both = [name for name in params if name in read and name in properties and read[name] != params[name]]
    return [
        FieldError(f"params.{name}", f"{name} is given twice, by script.args too, and differently") for name in both
    ]


def _read(schema: Schema, target: Target | None, args: Sequence[str], parsing: Parsing | None) -> ReadArguments:
    """What arguments come to; the script itself is asked where nothing else can tell, and before it is said to refuse
    them: it may give its parser others than it got."""
    reading = read_args(schema, args)
    if not (reading.unsure or reading.refusal) or parsing is None or target is None or _is_too_little(schema, args):
        return reading
    parsed = parsing.parse(target, args)
    if parsed.args is not None and parsed.args != list(args):
        reading = read_args(schema, parsed.args)
    if parsed.passed:
        # It takes them another way: what it makes of them is not known, and no reason to refuse them.
        return ReadArguments(unknown=True)
    if parsed.refusal is not None:
        reading.refusal = parsed.refusal if reading.unsure else reading.refusal or parsed.refusal
    elif parsed.early and reading.refusal == MISSING_COMMAND:
        # A group shows its help then, and fails.
        return reading
    elif parsed.early:
        reading.refusal, reading.early = None, True
    elif parsed.values is not None:
        reading.refusal = None
        reading.values = _own(schema, reading, parsed)
        reading.extras = parsed.extras
    return reading


def _is_too_little(schema: Schema, args: Sequence[str]) -> bool:
    """Whether arguments lack something, and the script cannot but miss it: it need not be asked for that."""
    filled = any(level.record.get("filled") for level in levels(schema["x-declared"]))
    if filled or schema.get("x-own-args", True):
        return False
    partly = read_partly(schema, args)
    told = partly.unsure or partly.early or partly.refusal is not None
    return not told and bool(missing(schema, check_params(schema, partly.values)[0]))


def _own(schema: Schema, reading: ReadArguments, parsed: Parsed) -> dict[str, Any]:
    """The script's own values for the parameters that were given."""
    assert parsed.values is not None
    values = dict(reading.values)
    for level in chosen_levels(schema["x-declared"], values):
        # Argparse has one namespace for all its parsers, click has parameters for each command.
        own = parsed.values[min(len(level.path), len(parsed.values) - 1)]
        for option in level.record["options"]:
            key, name = option["key"], option["name"]
            given = key in values or option["custom"] or reading.from_file
            if given and name in own and key in schema["properties"]:
                values[key] = _kept(option, values.get(key), own[name])
    return values


def _kept(option: Mapping[str, Any], read: Any, own: Any) -> Any:
    """The script's value where it is a simple one of the kind that the form has; what was read of the text if not."""
    if option["kind" if "kind" in option else "action"] in ("int", "float", "bool") or read is None:
        return own
    return read


def params_of(
    inspection: Inspection, args: Sequence[str], parsing: Parsing | None = None
) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the parameters that arguments express, with errors of the field `script.args`."""
    _, params, errors = resolve_script_params(inspection, args, {}, parsing=parsing)
    return params, errors


def validate(schema: Schema, params: Mapping[str, Any]) -> list[ParamError]:
    """Return what is wrong with parameters, as far as the schema says."""
    return check_params(schema, params)[1]


def of_params(schema: Schema, params: dict[str, Any], refusal: str) -> FieldError:
    """The refusal of arguments that were made of parameters."""
    named = _named_in(refusal)
    for name in completed(schema, params):
        if named & _names_of(name, schema["properties"][name]["x-flag"]):
            return FieldError(f"params.{name}", f"the script would refuse {name}: {refusal}")
    return FieldError("params", f"the script would refuse these parameters: {refusal}")


def of_args(schema: Schema, args: Sequence[str], refusal: str) -> list[FieldError]:
    """The refusal of arguments as they were typed; where there are none, of the parameters that are missing."""
    missing = as_fields(check_params(schema, {})[1]) if not args else []
    return missing or [FieldError(ARGS, f"the script would refuse its arguments: {refusal}")]


def as_fields(errors: Iterable[ParamError]) -> list[FieldError]:
    """Errors of parameters as those of the body that gave them."""
    return [FieldError(f"params.{error.field}", error.message) for error in errors]


def _named_in(refusal: str) -> set[str]:
    """The options that a message begins with: `argument --lr/-l: …`, or `Invalid value for '--lr' / '-l': …`."""
    head = refusal.partition(":")[0]
    found = QUOTED.findall(head) or head.removeprefix("argument ").split("/")
    # So click writes an argument that may be left out, or given several times.
    return {word if word[:1] == "-" else word.strip("[].").lower() for word in found}


def _names_of(name: str, flag: Mapping[str, Any]) -> set[str]:
    if flag["flags"]:
        return {*flag["flags"], *filter(None, [flag["negative"]])}
    # A parameter of one of several commands is called by both; the script knows only its own name.
    names = [name.rpartition(".")[2], flag.get("metavar")]
    return {one.lower() for one in names if isinstance(one, str)}
