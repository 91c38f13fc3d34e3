"""A program cannot tell whether `python` or the deck has started it: each is run both ways, and compared."""

import subprocess
import sys
import venv
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from differential.both import Result, by_deck, by_python, differences, launch
from differential.cases import Case, find_cases
from support.served import ServedDeck

CASES = find_cases()
COLD = ("facts plain", "streams", "process", "environment", "chained", "syntax_error", "exits 300", "signalled SIGTERM",
        "threads", "unclosed", "pools spawn", "module pkg.train one two", "module pkg.missing", "inputs", "linked",
        "writers_x", "interrupt", "elsewhere")  # fmt: skip
OTHER = ("facts plain", "chained", "module pkg.train spawn", "inputs", "trains")
WAYS = [
    *((case, "warm") for case in CASES),
    *((case, "cold") for case in CASES if case.name in COLD),
    *((case, "python") for case in CASES if case.name in OTHER),
]


class Started(NamedTuple):
    """A case that runs both ways at this moment."""

    plain: "Future[Result]"
    run_id: int
    folder: Path


@pytest.fixture(scope="session")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter of another environment, which sees the packages of this one."""
    folder = tmp_path_factory.mktemp("other") / "venv"
    venv.create(folder, symlinks=True, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "packages.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return str(folder / "bin/python")


@pytest.fixture(scope="session")
def started(
    request: pytest.FixtureRequest, shared_deck: ServedDeck, other_python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[Case, str], Started]]:
    """Every case that was asked for, begun at once: the machine is kept busy, and each test waits for its own."""
    asked = [item.callspec.params for item in request.session.items if "started" in getattr(item, "fixturenames", ())]
    folder = tmp_path_factory.mktemp("differential")
    found = {}
    plain: dict[tuple[Case, str], Future[Result]] = {}
    with ThreadPoolExecutor(2) as pool:
        for number, (case, way) in enumerate((one["case"], one["way"]) for one in asked):
            python = other_python if way == "python" else sys.executable
            how = {"cold": {"cold": True}, "python": {"python": other_python}}.get(way, {})
            there, here = folder / f"deck-{number}", folder / f"plain-{number}"
            run_id = launch(case, there, shared_deck, **how)
            if (case, python) not in plain:
                plain[case, python] = pool.submit(by_python, case, here, python)
            found[case, way] = Started(plain[case, python], run_id, there)
        yield found
        pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("case", "way"), WAYS, ids=[f"{case.name} - {way}" for case, way in WAYS])
def test_a_program_does_the_same_both_ways(
    started: dict[tuple[Case, str], Started], shared_deck: ServedDeck, case: Case, way: str
) -> None:
    one = started[case, way]
    seen, expected = by_deck(one.run_id, one.folder, shared_deck), one.plain.result()
    assert seen.output == expected.output
    assert seen.code == expected.code
    different = differences(seen.files, expected.files)
    # As a message it is shown in full.
    assert not different, "\n".join(different[:400])
    assert shared_deck.process_record(one.run_id)["start"] == ("warm" if way == "warm" else "cold")


def test_the_suite_has_about_a_hundred_programs() -> None:
    assert len(CASES) > 90
    assert {case.name for case in CASES} >= {*COLD, *OTHER}


def test_plain_python_leaves_what_the_suite_compares(tmp_path: Path) -> None:
    writers = next(case for case in CASES if case.name == "writers_x")
    result = by_python(writers, tmp_path / "plain")
    assert len(result.files["logs/x/events.out.tfevents."]) == 22
    assert subprocess.run([sys.executable, "-c", ""], check=True).returncode == result.code
