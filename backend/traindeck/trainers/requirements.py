"""What an installed package requires, and whether it is there in the right version."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, version

from packaging.requirements import Requirement

OWN_PACKAGE = "traindeck"


def missing(package: Distribution, extra: str) -> list[str]:
    """Return the requirements of an extra that are not installed, or in another version: ["moviepy<2", …]."""
    requirements = [Requirement(line) for line in package.requires or ()]
    return [_text(one) for one in requirements if _belongs_to(one, extra) and not is_met(one)]


def requirement_of(name: str) -> Requirement:
    """Return what Traindeck requires of a package by its name, in whatever version where it says nothing of it."""
    requirements = [Requirement(line) for line in Distribution.from_name(OWN_PACKAGE).requires or ()]
    return next((one for one in requirements if one.name == name and not one.marker), Requirement(name))


def is_met(requirement: Requirement) -> bool:
    """Return True where a package is installed in a version that the requirement allows."""
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def _belongs_to(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _text(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"
