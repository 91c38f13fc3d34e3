"""The checks of `traindeck doctor`: what is installed, torch and the GPUs, the deck's home. They change nothing."""

import fcntl
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.requirements import Requirement

from traindeck import __version__
from traindeck.db.migrate import newest_revision
from traindeck.pages.frontend import frontend_folder
from traindeck.pages.numbers import show_bytes
from traindeck.runs.files import DeckFiles, read_json
from traindeck.settings import Settings
from traindeck.system.ports import describe_owner, listen, owner_of
from traindeck.trainers.datasets.fetched import SourceFailed, npm_command
from traindeck.trainers.requirements import requirement_of
from traindeck.wording import counted

LOW_BYTES = 2_000_000_000
"""Checkpoints and event files soon fill a disk that has less than this free."""
BUSY_SECONDS = 5.0

PACKAGES = ("torch", "torchvision", "tensorboard")

PART = re.compile(r"vendor/[\w./-]+\.(?:js|css|woff2)")
BUNDLE = re.compile(r'set bundle = "(\w+)"')
PAGES = ("templates/**/*.html", "static/js/**/*.js", "static/css/**/*.css")
FRONTEND_ADVICE = "Install traindeck again; in a checkout: python frontend/build.py"

NPM_SECONDS = 30.0
NPM_ADVICE = 'Install Node.js again, or: pip install "traindeck[npm]"'
WITHOUT_NPM = "not installed: MNIST comes from the deck's datasets folder or from torchvision's mirrors"

IMPORT_SECONDS = 120.0
"""Reading torch's libraries from a cold disk takes long."""

PROBE = """
import json, torch, torchvision
print(json.dumps({"cuda": torch.version.cuda, "gpus": torch.cuda.device_count()}))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one part of a deck, and advice if something is wrong."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def good(check: str, found: str) -> Finding:
    """Return the finding that a part is as it must be."""
    return Finding(check, True, found)


def wrong(check: str, found: str, advice: str) -> Finding:
    """Return the finding that something is wrong; `advice` says what to do."""
    return Finding(check, False, found, advice)


def run_checks(settings: Settings) -> Iterator[Finding]:
    """Run every check, and yield its findings."""
    yield from check_versions()
    report = probe_torch()
    yield check_import(report)
    yield from check_gpus(report)
    yield from check_home(settings.home)
    yield check_port(settings.host, settings.port, settings.home)
    yield check_database(DeckFiles(settings.home).database)
    yield check_frontend()
    yield check_npm()


def check_home(home: Path) -> list[Finding]:
    """Check that the folder can be written, its free disk space, and whether a server runs."""
    writable = _check_writable(home)
    return [writable, _check_room(home), *([_check_server(home)] if home.is_dir() else [])]


def first_existing(folder: Path) -> Path:
    """Return the folder, or its nearest ancestor that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def running_server(home: Path) -> dict[str, object] | None:
    """Return `url` and `pid` of the deck's server, or None if none runs. A server holds the lock while it runs."""
    lock = home / "server.lock"
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except BlockingIOError:
        return read_json(home / "server.json") or {}
    except OSError:
        return None


def _check_writable(home: Path) -> Finding:
    folder = first_existing(home)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        advice = "Allow your user to write there, or choose another folder with --home or TRAINDECK_HOME."
        return wrong("home", f"{folder} cannot be written: {error.strerror}", advice)
    return good("home", str(home) if folder == home else f"{home} will be created by the first `traindeck serve`")


def _check_room(home: Path) -> Finding:
    free = shutil.disk_usage(first_existing(home)).free
    found = f"{show_bytes(free)} free"
    if free < LOW_BYTES:
        return wrong("disk", found, f"Free some space, or choose a --home with more than {show_bytes(LOW_BYTES)}.")
    return good("disk", found)


def _check_server(home: Path) -> Finding:
    server = running_server(home)
    if server is None:
        return good("server", "none is running for this home")
    return good(
        "server", f"running at {server.get('url', 'an unknown address')} as process {server.get('pid', 'unknown')}"
    )


def check_port(host: str, port: int, home: Path) -> Finding:
    """Check that the port is free or this deck's own; otherwise find who uses it."""
    if port == 0:
        return good("port", "any free port")
    problem = _listen_error(host, port)
    if problem is None:
        return good("port", f"{port} is free")
    owner = owner_of(port)
    server = running_server(home)
    if server and owner is not None and server.get("pid") == owner.pid:
        return good("port", f"{port} is used by this deck's server")
    by = describe_owner(owner)
    return wrong(
        "port", f"{port} cannot be used: {problem}{by}", "Choose another one, such as `traindeck serve --port 8001`."
    )


def _listen_error(host: str, port: int) -> str | None:
    try:
        listen(host, port).close()
    except OSError as error:
        return str(error.strerror).lower()
    return None


def check_database(path: Path) -> Finding:
    """Check that a server can open the database: it is intact, and this version knows its schema."""
    if not path.exists() or not path.stat().st_size:
        return good("database", "none yet; the first `traindeck serve` creates it")
    try:
        with closing(_open(path)) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
            if verdict != "ok":
                return _damaged(path, verdict)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if not {"alembic_version", "run"} <= tables:
                return wrong("database", f"{path} is not a deck's database", "Choose another --home.")
            (runs,) = connection.execute("SELECT count(*) FROM run").fetchone()
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        advice = "Check which program has the file open, or name the deck's folder with --home."
        return wrong("database", f"{path} cannot be read: {error}", advice)
    except (sqlite3.DatabaseError, TypeError) as error:
        return _damaged(path, str(error))
    return _check_schema(path, str(revision), f"intact, with {counted(runs, 'run')}")


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _check_schema(path: Path, revision: str, found: str) -> Finding:
    newest = newest_revision()
    if revision > newest:
        advice = "Install the newest version: pip install --upgrade traindeck"
        return wrong("database", f"{path} has schema {revision}, and this version knows up to {newest}", advice)
    if revision < newest:
        return good(
            "database", f"{found}; schema {revision}; the next start makes a backup and upgrades it to {newest}"
        )
    return good("database", f"{found}; schema {revision}")


def _damaged(path: Path, verdict: str) -> Finding:
    backups = sorted((path.parent / "backups").glob("deck-*.db"))
    remedy = f"Copy the last backup over it: {backups[-1]}." if backups else "There is no backup. Move the file away."
    return wrong("database", f"{path} is damaged: {verdict}", f"Stop the server. {remedy}")


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


@dataclass(frozen=True, slots=True)
class TorchReport:
    """The CUDA version that torch was built for, and how many GPUs it can use.

    `problem` is None if torch can be imported, and otherwise the last line of the error.
    """

    problem: str | None
    cuda: str | None = None
    gpus: int = 0


def probe_torch() -> TorchReport:
    """Import torch and torchvision in another process, which takes some seconds."""
    command = [sys.executable, "-c", PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return TorchReport(f"the import took more than {IMPORT_SECONDS:.0f} seconds")
    if done.returncode:
        return TorchReport((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    return TorchReport(None, answer["cuda"], answer["gpus"])


def check_import(report: TorchReport) -> Finding:
    """Check that torch can be imported."""
    if report.problem:
        advice = "Install torch and torchvision again, from the same index and in versions that match."
        return wrong("torch import", report.problem, advice)
    built = f"built for CUDA {report.cuda}" if report.cuda else "built for the CPU only"
    return good("torch import", f"torch and torchvision can be imported; {built}")


@dataclass(frozen=True, slots=True)
class Driver:
    """NVIDIA's driver according to NVML: version, newest CUDA (major, minor) that it supports, names of the GPUs."""

    version: str
    cuda: tuple[int, int]
    gpus: tuple[str, ...]


def check_gpus(report: TorchReport) -> list[Finding]:
    """List the GPUs, and check that torch can use them. No GPU is fine: runs then train on the CPU."""
    driver = find_driver()
    if driver is None or (isinstance(driver, Driver) and not driver.gpus):
        return [good("gpus", "none; runs train on the CPU")]
    if isinstance(driver, str):
        return [wrong("gpus", f"the driver does not answer: {driver}", "Restart the machine, or reinstall the driver.")]
    listed = ", ".join(f"{index}: {name}" for index, name in enumerate(driver.gpus))
    cuda = ".".join(str(part) for part in driver.cuda)
    return [good("gpus", f"{listed}; driver {driver.version} for CUDA {cuda}"), check_compatibility(driver, report)]


def check_compatibility(driver: Driver, report: TorchReport) -> Finding:
    """Check that this torch can use the GPUs of this driver.

    Within one major version of CUDA, a driver supports programs that were built for a later minor version.
    """
    total = len(driver.gpus)
    if report.problem:
        return wrong("gpu in torch", "torch cannot be imported", 'See the line "torch import".')
    if report.cuda is None:
        return wrong("gpu in torch", "this torch is built for the CPU only", "Install a torch that is built for CUDA.")
    if driver.cuda[0] < int(report.cuda.partition(".")[0]):
        found = f"torch needs CUDA {report.cuda}, but driver {driver.version} is older"
        return wrong("gpu in torch", found, f"Update the driver, or install a torch for CUDA {driver.cuda[0]}.")
    if not report.gpus:
        advice = "Check whether CUDA_VISIBLE_DEVICES hides them, and whether the driver's kernel module is loaded."
        return wrong("gpu in torch", f"torch sees none of the {total}", advice)
    return good("gpu in torch", f"torch can use {report.gpus} of {total}")


def find_driver() -> Driver | str | None:
    """Return the driver; None if there is none; an error message if the driver does not answer."""
    nvml: Any = import_module("pynvml")
    try:
        nvml.nvmlInit()
    except (nvml.NVMLError_LibraryNotFound, nvml.NVMLError_DriverNotLoaded):
        return None
    except nvml.NVMLError as error:
        return str(error)
    try:
        cuda = nvml.nvmlSystemGetCudaDriverVersion_v2()
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        names = tuple(_text(nvml.nvmlDeviceGetName(handle)) for handle in handles)
        return Driver(_text(nvml.nvmlSystemGetDriverVersion()), (cuda // 1000, cuda % 1000 // 10), names)
    except nvml.NVMLError as error:
        return str(error)
    finally:
        nvml.nvmlShutdown()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
