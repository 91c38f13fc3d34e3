"""A count and its noun agree, in Python and in the browser's twin, and nowhere are they put together by hand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from traindeck.wording import counted

ROOT = Path(__file__).parents[2]
CASES = {
    (1, "run"): "1 run",
    (0, "run"): "0 runs",
    (2, "run"): "2 runs",
    (12_345, "point"): "12,345 points",
    (1, "match"): "1 match",
    (3, "match"): "3 matches",
    (2, "epoch"): "2 epochs",
    (2, "entry"): "2 entries",
    (2, "key"): "2 keys",
    (2, "series"): "2 series",
    (2, "box"): "2 boxes",
    (2, "CPU slot"): "2 CPU slots",
}
BY_HAND = (
    re.compile(r"""["']s?["'] if [^{}]{1,60} == 1 else ["']"""),
    re.compile(r"""=== ["']?1["']? \? "s?" :"""),
    re.compile(r"""['"]s['"] \* \("""),
    re.compile(r"""\{\{[^{}]*(?:length|total|count)[^{}|]*\}\} (?:runs|files|lines|tags|terms|points|options)\b"""),
)
"""How plural forms are put together where nobody knows of the function."""


@pytest.mark.parametrize(("given", "shown"), CASES.items())
def test_the_noun_goes_with_its_count(given: tuple[int, str], shown: str) -> None:
    assert counted(*given) == shown


def test_the_browser_counts_alike() -> None:
    node = ROOT / ".venv" / "bin" / "node"
    program = str(node) if node.exists() else shutil.which("node")
    assert program, "node is needed here"
    module = ROOT / "frontend" / "static" / "js" / "numbers.js"
    calls = ", ".join(f"counted({count}, {noun!r})" for count, noun in CASES)
    script = f"import {{ counted }} from {str(module)!r}; console.log([{calls}].join('\\n'));"
    done = subprocess.run([program, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == list(CASES.values())


def test_plural_forms_are_made_in_one_place() -> None:
    sources = [*ROOT.glob("backend/traindeck/**/*.py"), *ROOT.glob("frontend/templates/**/*.html"),
               *ROOT.glob("frontend/static/js/*.js")]  # fmt: skip
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(pattern.search(line) for pattern in BY_HAND)
    ]
    assert found == []
