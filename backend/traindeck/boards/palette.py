"""The colours of runs on a board of several: those that they have on the deck's own pages."""

import html
import json
from collections.abc import Mapping, Sequence

COLOURS = (
    ("#0072b2", "#0072b2"),
    ("#c47722", "#e69f00"),
    ("#008f68", "#009e73"),
    ("#ab5b89", "#cc79a7"),
    ("#af541c", "#d55e00"),
    ("#1b94cc", "#56b4e9"),
    ("#8b0f49", "#f0e442"),
    ("#000000", "#e8e8e8"),
)
"""--run-1 to --run-8 of tokens.css on light and on dark; a test compares them."""

META_NAME = "traindeck-colours"
STARTS = b'colorPalette:{id:"default",'
LIST = b"colors:["
READ = f"""JSON.parse(document.querySelector('meta[name="{META_NAME}"]')?.content||"null")??[""".encode()


def colours_of(runs: Sequence[str], wanted: Mapping[str, int]) -> list[int]:
    """Return a colour from 1 to 8 for each of TensorBoard's runs, in the order in which it gives colours out.

    `wanted` is the colour of each prefix. Where a run has several log folders, the first has it, and the others get
    what is left.
    """
    taken: set[str] = set()
    rest = [colour for colour in range(1, len(COLOURS) + 1) if colour not in wanted.values()] or [*wanted.values()]
    found = []
    for run in runs:
        prefix = next((one for one in wanted if run == one or run.startswith(f"{one}/")), None)
        if prefix is not None and prefix not in taken:
            taken.add(prefix)
            found.append(wanted[prefix])
        else:
            rest.append(rest.pop(0))
            found.append(rest[-1])
    return found


def head(colours: Sequence[int]) -> bytes:
    """Return what a page says so that the mended script takes these colours; others follow where runs join later."""
    others = [number for number in range(1, len(COLOURS) + 1) if number not in colours]
    named = [
        {"name": f"Run {number}", "lightHex": COLOURS[number - 1][0], "darkHex": COLOURS[number - 1][1]}
        for number in (*colours, *others)
    ]
    return f'<meta name="{META_NAME}" content="{html.escape(json.dumps(named))}">'.encode()


def with_colours_from_page(script: bytes) -> bytes:
    """Return TensorBoard's script, taking its colours from the page; as it is where it has no palette."""
    at = script.find(STARTS)
    at = script.find(LIST, at, at + 200) if at >= 0 else -1
    if at < 0:
        return script
    at += len(LIST) - 1
    return script[:at] + READ + script[at + 1 :]
