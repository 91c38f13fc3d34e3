"""What a click or Typer command declares, as the same plain records that `declared` makes of an argparse parser."""

from __future__ import annotations

import enum
import inspect
import pathlib
from typing import Any

from traindeck.runner.inspecting.declared import plain, text_of

TRUE_WORDS = ("1", "true", "t", "yes", "y", "on")
FALSE_WORDS = ("0", "false", "f", "no", "n", "off")
BOOL = {
    "kind": "bool",
    "known": {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)},
    "texts": {"true": "true", "false": "false"},
}
DEEPEST = 5


class NoForm(Exception):
    """A form cannot show what is declared; the message says why."""


def declare(command: Any, context: Any = None, depth: int = 0) -> dict[str, Any]:
    """The record of a command, with those of the commands below it.

    Raises:
        NoForm: commands can be chained.
    """
    if getattr(command, "chain", False):
        raise NoForm("its commands can be chained, which a form cannot show")
    context = new_context(command, context)
    settings = command.context_settings or {}
    return {
        "description": text_of(inspect.cleandoc(command.help or "")).partition("\f")[0],
        "lenient": bool(context.ignore_unknown_options and context.allow_extra_args),
        "interspersed": bool(context.allow_interspersed_args),
        "filled": _is_filled(command, context),
        "unsure": bool(settings.get("token_normalize_func")),
        "options": [_option(param, context) for param in command.get_params(context)],
        "exclusive": [],
        "commands": _commands(command, context, depth) if hasattr(command, "list_commands") else None,
    }


def _is_filled(command: Any, context: Any) -> bool:
    """Whether what is not given may come from elsewhere: the environment, a file, code of the script's own."""
    kinds = [type(command), *map(type, command.params)]
    own = any(kind.__module__.partition(".")[0] not in ("click", "typer") for kind in kinds)
    named = any(getattr(param, "envvar", None) for param in command.params)
    return bool(own or named or context.auto_envvar_prefix or context.default_map)


def new_context(command: Any, parent: Any = None) -> Any:
    """A context in which nothing is parsed, as help and defaults are read in."""
    return command.context_class(
        command, info_name=command.name, parent=parent, resilient_parsing=True, **(command.context_settings or {})
    )


def _commands(group: Any, context: Any, depth: int) -> dict[str, Any]:
    items = []
    for name in group.list_commands(context) if depth < DEEPEST else []:
        command = group.get_command(context, name)
        if command is None:
            continue
        item = {"name": name, "aliases": [], "hidden": bool(getattr(command, "hidden", False))}
        item.update(declare(command, context, depth + 1))
        item["help"] = text_of(command.get_short_help_str(limit=200))
        items.append(item)
    required = not getattr(group, "invoke_without_command", False)
    return {"place": 0, "name": None, "required": required, "title": "", "help": "", "items": items}


def _option(param: Any, context: Any) -> dict[str, Any]:
    values = _values(param)
    action = _action(param)
    default = _default(param, context, values)
    # Nobody answers in a run.
    asks = bool(getattr(param, "prompt", None)) and bool(getattr(param, "prompt_required", True))
    record = {
        "name": param.name,
        "flags": list(param.opts) if param.param_type_name == "option" else [],
        "negative": list(param.secondary_opts),
        "action": action,
        "nargs": _nargs(param) if action in ("store", "append") else None,
        "required": bool(param.required) or (asks and default is None),
        "asks": asks,
        "hidden": bool(getattr(param, "hidden", False)) or action in ("exit", "custom_flag"),
        "help": text_of(inspect.cleandoc(getattr(param, "help", None) or "")),
        "metavar": plain(param.metavar),
        "group": _panel(param),
        "const": _const(param),
        "default": default,
        "opaque": _is_opaque(param, context, values),
        # It is called though nothing is given, and may look at what else is.
        "checks": param.callback is not None and action != "exit" and not param.is_eager,
        **{name: value for name, value in values.items() if name != "members"},
    }
    record["custom"] = bool(values.get("custom")) or (param.callback is not None and action != "exit")
    return record


def _panel(param: Any) -> str | None:
    panel = getattr(param, "rich_help_panel", None)
    return text_of(panel) if isinstance(panel, str) else None


def _action(param: Any) -> str:
    if not param.expose_value and (param.is_eager or param.callback is not None):
        # Help, a version, the installation of completions: it acts by itself, the program never sees a value.
        return "exit"
    if getattr(param, "count", False):
        return "count"
    if not getattr(param, "is_flag", False):
        return "append" if param.multiple else "store"
    if param.multiple:
        return "custom_flag"
    if param.secondary_opts:
        return "boolean_optional"
    const = _const(param)
    return {True: "store_true", False: "store_false"}[const] if isinstance(const, bool) else "const"


def _const(param: Any) -> Any:
    if not getattr(param, "is_flag", False):
        return unset_as_none(getattr(param, "flag_value", None)) if getattr(param, "_flag_needs_value", False) else None
    value = unset_as_none(getattr(param, "flag_value", None))
    return True if value is None else value


def _nargs(param: Any) -> Any:
    if getattr(param, "_flag_needs_value", False) and _const(param) is not None:
        return "?"
    if param.nargs == 1:
        return None
    return ("+" if param.required else "*") if param.nargs < 0 else param.nargs


def unset_as_none(value: Any) -> Any:
    """The value for JSON, None where none was given."""
    # Newer versions of click tell "nothing was said" from None by a member of an enumeration.
    return None if type(value).__name__ in ("Sentinel", "UNSET") else plain(value)


def _is_opaque(param: Any, context: Any, values: dict[str, Any]) -> bool:
    """Whether the default is an object that only the script has."""
    try:
        default = param.get_default(context)
    except Exception:
        return True
    simple = isinstance(default, (str, int, float, list, tuple, pathlib.PurePath))
    return not (simple or "choices" in values or unset_as_none(default) is None)


def _default(param: Any, context: Any, values: dict[str, Any]) -> Any:
    try:
        default = param.get_default(context)
    except Exception:
        return None
    default = unset_as_none(_as_choices(default, values))
    if isinstance(default, str) and values["kind"] in ("int", "float"):
        try:
            return plain({"int": int, "float": float}[values["kind"]](default))
        except ValueError:
            return default
    several = param.multiple or param.nargs != 1
    return [] if default is None and several and not param.required and param.nargs < 2 else default


def _as_choices(default: Any, values: dict[str, Any]) -> Any:
    """A default, or each of several, as the choice that it is."""
    if isinstance(default, (list, tuple)):
        return [_as_choices(one, values) for one in default]
    folded = text_of(default).lower() if values.get("ignore_case") and isinstance(default, str) else None
    for member, shown in zip(values.get("members", ()), values.get("choices", ())):
        if default is not None and (default is member or default == member or shown["text"].lower() == folded):
            return shown["value"]
    return default


def _values(param: Any) -> dict[str, Any]:
    """What kind of value a parameter takes."""
    descriptor = getattr(param, "type_descriptor", None)
    if descriptor is not None:
        return _described(descriptor)
    parts = getattr(param.type, "types", None)
    return _together([_of_click_type(part) for part in parts]) if parts else _of_click_type(param.type)


def _together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """What a tuple takes: of one kind, or `parts` with a kind for each."""
    if all(part == parts[0] for part in parts):
        return parts[0]
    parts = [{"custom": False, **part} for part in parts]
    return {"kind": "str", "parts": parts, "custom": any(part["custom"] for part in parts)}


def _of_click_type(kind: Any) -> dict[str, Any]:
    if type(kind).__module__ != "click.types":
        return {"kind": "str", "custom": True}
    name = type(kind).__name__
    if name in ("IntParamType", "IntRange", "FloatParamType", "FloatRange"):
        return {"kind": "int" if name.startswith("Int") else "float", **_bounds(kind)}
    if name == "BoolParamType":
        return {**BOOL, "custom": True}
    if name == "Choice":
        return {"kind": "str", "ignore_case": not kind.case_sensitive, **_choices(list(kind.choices), by_name=True)}
    if name in ("Path", "File"):
        return {"kind": "path", "custom": name == "File" or bool(kind.exists)}
    return {"kind": "str", "custom": name not in ("StringParamType", "UnprocessedParamType")}


def _bounds(kind: Any) -> dict[str, Any]:
    if getattr(kind, "clamp", False):
        # What is out of bounds is moved to the bound, not refused: the parser itself has to be asked.
        return {"custom": True}
    found = {}
    for name, exclusive in (("minimum", "min_open"), ("maximum", "max_open")):
        bound = plain(getattr(kind, name[:3], None))
        if bound is not None:
            found["exclusive_" + name if getattr(kind, exclusive, False) else name] = bound
    return found


def _choices(members: list[Any], *, by_name: bool) -> dict[str, Any]:
    texts = []
    for member in members:
        own = (member.name if by_name else member.value) if isinstance(member, enum.Enum) else member
        texts.append(text_of(own))
    return {"choices": [{"text": text, "value": text} for text in texts], "members": members}


def _described(descriptor: Any) -> dict[str, Any]:
    """As `_values`, for a Typer that brings its own types."""
    info = descriptor.parameter_info
    if info.parser is not None:
        return {"kind": "str", "custom": True}
    if descriptor.is_choice:
        return {
            "kind": "str",
            "ignore_case": not info.case_sensitive,
            **_choices(list(descriptor.choices), by_name=False),
        }
    parts = getattr(descriptor.annotation, "__args__", None) or (descriptor.annotation,)
    return _together([_annotated(part, info) for part in parts])


def _annotated(kind: Any, info: Any) -> dict[str, Any]:
    if kind in (int, float):
        bounds = {
            name: plain(value) for name, value in (("minimum", info.min), ("maximum", info.max)) if value is not None
        }
        return {"kind": kind.__name__, **({"custom": True} if info.clamp else bounds)}
    if kind is bool:
        return {**BOOL, "custom": True}
    if isinstance(kind, type) and issubclass(kind, pathlib.PurePath):
        return {"kind": "path", "custom": bool(info.exists)}
    return {"kind": "str", "custom": kind is not str}
