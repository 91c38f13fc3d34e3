"""What the wheel carries."""

from pathlib import Path
from zipfile import ZipFile

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = ("boards", "compare", "error", "launch", "run", "runs")
PARTS = ("htmx.js", "htmx.LICENSE", "uplot.js", "uplot.css", "uplot.LICENSE", "codemirror.js", "codemirror.LICENSE")


def names_in(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_below(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in found}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("backend/traindeck", "traindeck"),
        ("frontend/templates", "traindeck/_share/frontend/templates"),
        ("frontend/static", "traindeck/_share/frontend/static"),
        ("alembic", "traindeck/_share/alembic"),
    ],
)
def test_the_wheel_carries_every_file_of(wheel: Path, source: str, target: str) -> None:
    expected = {f"{target}/{name}" for name in files_below(CHECKOUT / source)}
    assert expected
    assert expected <= names_in(wheel)


def test_the_wheel_carries_the_front_end_parts_and_their_licences(wheel: Path) -> None:
    vendor = "traindeck/_share/frontend/static/vendor"
    parts = {f"{vendor}/{name}" for name in PARTS}
    assert parts <= names_in(wheel)


def test_the_wheel_carries_a_script_and_a_style_sheet_for_each_page_and_both_compressed(wheel: Path) -> None:
    pages = "traindeck/_share/frontend/static/pages"
    files = {f"{pages}/{name}.{kind}{end}" for name in PAGES for kind in ("js", "css") for end in ("", ".gz")}
    assert files <= names_in(wheel)


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    names = names_in(wheel)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"traindeck"}
    assert not [name for name in names if "__pycache__" in name or "node_modules" in name]
