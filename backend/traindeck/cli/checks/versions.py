"""What is installed, in which version."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from traindeck import __version__
from traindeck.cli.checks.finding import Finding, good, wrong

PACKAGES = ("torch", "torchvision", "tensorboard")


def check_versions() -> list[Finding]:
    """Traindeck's version, Python's, and those of what it trains and shows with."""
    return [
        good("traindeck", __version__),
        good("python", f"{platform.python_version()} at {sys.executable}"),
        _platform(),
        *(_package(name) for name in PACKAGES),
    ]


def _platform() -> Finding:
    found = f"{platform.system()} {platform.release()} on {platform.machine()}"
    if sys.platform == "win32":
        return wrong("platform", found, "Run Traindeck in WSL.")
    return good("platform", found)


def _package(name: str) -> Finding:
    try:
        return good(name, version(name))
    except PackageNotFoundError:
        return wrong(name, "is not installed", f"pip install {name}, or install traindeck again, which brings it.")
