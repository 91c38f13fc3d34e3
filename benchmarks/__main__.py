"""Measures everything, and prints one table.

python -m benchmarks [--quick] [--only NAME ...] [--json FILE]
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, rows
from benchmarks.row import Row
from benchmarks.table import render


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; 1 where a measurement could not be made, missed goals or not."""
    asked = _parser().parse_args(arguments)
    where = machine.describe()
    measured: list[Row] = []
    failed: list[str] = []
    for name in asked.only or rows.NAMES:
        try:
            measured += _measure(name, asked.quick)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    packages = ", ".join(f"{name} {version}" for name, version in where["packages"].items())
    print(
        render(measured),
        f"\n{where['processor']}, {where['cores']} cores, Python {where['python']}, {packages}.",
        sep="\n",
    )
    if asked.json:
        content = {
            "machine": where,
            "quick": asked.quick,
            "failed": failed,
            "rows": [row.as_json() for row in measured],
        }
        asked.json.write_text(json.dumps(content, indent=2) + "\n")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Traindeck.")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller samples: a look, not a result")
    parser.add_argument("--only", action="append", choices=rows.NAMES, metavar="NAME", help=", ".join(rows.NAMES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures with all details there")
    return parser


def _measure(name: str, quick: bool) -> list[Row]:
    print(f"{name} …", end=" ", file=sys.stderr, flush=True)
    began = time.perf_counter()
    measured = rows.find(name)(quick)
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)
    return measured


if __name__ == "__main__":
    sys.exit(main())
