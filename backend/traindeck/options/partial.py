"""Reads arguments that need not be all: parameters give the others."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from traindeck.options.arguments import read_args
from traindeck.options.declaration import Record, levels
from traindeck.options.reading import Reading
from traindeck.options.schema import Schema


def read_partly(schema: Schema, args: Sequence[str]) -> Reading:
    """What `args` come to, as the script would read them if it required nothing."""
    declared = copy.deepcopy(schema["x-declared"])
    for level in levels(declared):
        _relax(level.record, argparse=schema["x-parser"] == "argparse")
    return read_args({**schema, "x-declared": declared}, args)


def _relax(record: Record, *, argparse: bool) -> None:
    for option in record["options"]:
        option["required"] = False
        if argparse and not option["flags"] and option["nargs"] not in ("?", "*"):
            # There, a positional is required by how many values it takes.
            option["nargs"] = "?" if option["nargs"] is None else "*"
    for group in record["exclusive"]:
        group["required"] = False
    if record["commands"]:
        record["commands"]["required"] = False
