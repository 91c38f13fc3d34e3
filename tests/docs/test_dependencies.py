"""The tables of dependencies name what pyproject.toml declares, and the package imports nothing else."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from architecture.modules import imports, sources

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGE = (ROOT / "docs" / "dependencies.md").read_text()
PART_OF = {"pydantic_core": "pydantic"}
"""Modules of a package that another one pins."""


def declared(requirements: list[str]) -> set[str]:
    names = {canonicalize_name(Requirement(line).name) for line in requirements}
    return names - {PROJECT["name"]}


def named_in_lines() -> list[tuple[str, set[str]]]:
    """The extra of each line of the tables, "" for what is always installed, and the packages that it names."""
    tables = PAGE.partition("| package |")[2]
    cells = [line.split(" | ") for line in re.findall(r"^\| (`.*) \|$", tables, re.MULTILINE)]
    extras = PROJECT["optional-dependencies"]
    return [
        (first.strip("`"), _names(rest[0])) if first.strip("`") in extras else ("", _names(first))
        for first, *rest in cells
    ]


def _names(cell: str) -> set[str]:
    return {canonicalize_name(name) for name in re.findall(r"`([^`]+)`", cell)}


def test_the_tables_name_what_each_installation_adds() -> None:
    found: dict[str, set[str]] = {}
    for extra, packages in named_in_lines():
        found.setdefault(extra, set()).update(packages)
    expected = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    assert found == {extra: declared(lines) for extra, lines in expected.items()}


def test_the_tables_name_a_package_once() -> None:
    names = [name for _, packages in named_in_lines() for name in packages]
    assert len(names) == len(set(names))


def test_every_library_that_the_package_imports_is_declared() -> None:
    tops = {name.partition(".")[0] for tree in sources().values() for name in imports(tree)}
    libraries = tops - sys.stdlib_module_names - {"traindeck"}
    owners = packages_distributions()
    found = {canonicalize_name(PART_OF.get(name) or owners[name][0]) for name in libraries}
    assert found <= declared(PROJECT["dependencies"])


def test_exact_versions_are_within_the_bounds() -> None:
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
    )
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    requirements = [Requirement(line) for line in (*PROJECT["dependencies"], *extras)]
    unmet = [
        str(one)
        for one in requirements
        if one.name != PROJECT["name"] and not one.specifier.contains(versions[canonicalize_name(one.name)])
    ]
    assert unmet == []
