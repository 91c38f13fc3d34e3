"""Check what is installed: packages and their versions, the front end, npm."""

import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from traindeck import __version__
from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.pages.frontend import frontend_folder
from traindeck.trainers.datasets.downloads import npm_command
from traindeck.trainers.datasets.fetched import SourceFailed
from traindeck.trainers.requirements import requirement_of

PACKAGES = ("torch", "torchvision", "tensorboard")

PART = re.compile(r"vendor/[\w./-]+\.(?:js|css|woff2)")
BUNDLE = re.compile(r'set bundle = "(\w+)"')
PAGES = ("templates/**/*.html", "static/js/**/*.js", "static/css/**/*.css")
FRONTEND_ADVICE = "Install traindeck again; in a checkout: python frontend/build.py"

NPM_SECONDS = 30.0
NPM_ADVICE = 'Install Node.js again, or: pip install "traindeck[npm]"'
WITHOUT_NPM = "not installed: MNIST comes from the deck's datasets folder or from torchvision's mirrors"


def check_versions() -> list[Finding]:
    """Return the versions of Traindeck, Python, the platform, and the packages for training."""
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
        found = version(name)
    except PackageNotFoundError:
        return wrong(name, "is not installed", f"pip install {name}, or install traindeck again, which brings it.")
    return check_version(requirement_of(name), found)


def check_version(requirement: Requirement, found: str) -> Finding:
    """Check that a version is within the bounds that Traindeck requires."""
    if requirement.specifier.contains(found, prereleases=True):
        return good(requirement.name, found)
    advice = f'pip install "{requirement.name}{requirement.specifier}"'
    return wrong(requirement.name, f"{found} is outside of {requirement.specifier}", advice)


def check_frontend() -> Finding:
    """Check that every built file is there that the pages name."""
    try:
        folder = frontend_folder()
    except FileNotFoundError as error:
        return wrong("front end", str(error), FRONTEND_ADVICE)
    parts = named_parts(folder)
    missing = sorted(part for part in parts if not (folder / "static" / part).is_file())
    if missing:
        return wrong("front end", f"{', '.join(missing)} missing in {folder / 'static'}", FRONTEND_ADVICE)
    return good("front end", f"{len(parts)} parts in {folder / 'static'}")


def named_parts(folder: Path) -> set[str]:
    """Return the built parts, such as `vendor/htmx.js` and `pages/run.css`, that templates, scripts and styles name."""
    paths = (page for pattern in PAGES for page in folder.glob(pattern) if page.is_file())
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
    bundles = {name for text in texts for name in BUNDLE.findall(text)}
    parts = {part for text in texts for part in PART.findall(text)}
    return parts | {f"pages/{name}.{kind}" for name in bundles for kind in ("js", "css")}


def check_npm() -> Finding:
    """Check that npm starts if it is installed. It fetches MNIST if no other source has it."""
    try:
        command = [*npm_command(), "--version"]
    except SourceFailed:
        return good("npm", WITHOUT_NPM)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=NPM_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return wrong("npm", str(error), NPM_ADVICE)
    if done.returncode:
        return wrong("npm", f"does not start: {(done.stderr.strip().splitlines() or ['no message'])[-1]}", NPM_ADVICE)
    return good("npm", done.stdout.strip())
