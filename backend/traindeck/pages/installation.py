"""Describe what an attempt ran on, line by line: interpreter, machine, packages, variables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from traindeck.pages.numbers import show_bytes
from traindeck.runs.view import GpuView, HostView, PackageView, PythonView, TorchView
from traindeck.wording import counted

MASK = "***"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a card; `title` is its tooltip."""

    name: str
    value: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; `origin` is its source, if that is not an index."""

    name: str
    version: str
    origin: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable; `masked` if its value is a secret, which the record does not contain."""

    name: str
    value: str
    masked: bool


def python_facts(python: PythonView | None, torch: TorchView | None) -> list[Fact]:
    """Return the known facts about the interpreter and its torch."""
    facts = []
    if python:
        facts.append(Fact("Python", f"{python.version} ({python.implementation})"))
        guessed = "The first one on the command's PATH. A shell script may start another one" if python.guessed else ""
        facts.append(Fact("Interpreter", python.executable, guessed))
    if torch:
        facts.append(Fact("torch", torch.version or "unknown"))
        facts.append(Fact("CUDA of torch", torch.cuda or "none: CPU only"))
        if torch.hip:
            facts.append(Fact("ROCm of torch", torch.hip))
    return facts


def machine_facts(host: HostView | None) -> list[Fact]:
    """Return the known facts about the machine, or none if it was not recorded."""
    if host is None:
        return []
    counts = [counted(count, noun) for count, noun in ((host.cpu_cores, "core"), (host.cpu_threads, "thread")) if count]
    facts = [
        Fact("Host", host.name),
        Fact("CPU", host.cpu),
        Fact("", ", ".join(counts)),
        Fact("Memory", show_bytes(host.memory_bytes)),
        *(_gpu(gpu) for gpu in host.gpus),
        Fact("GPU driver", host.gpu_driver or ""),
        Fact("System", host.os),
        Fact("Kernel", f"{host.kernel} {host.machine}"),
    ]
    if not host.gpus:
        facts.insert(4, Fact("GPU", "none"))
    return [fact for fact in facts if fact.value]


def _gpu(gpu: GpuView) -> Fact:
    held = ", held by this run" if gpu.held else ""
    return Fact(f"GPU {gpu.index}", f"{gpu.name}, {show_bytes(gpu.memory_bytes)}{held}")


def packages_of(packages: Iterable[PackageView] | None) -> list[Package] | None:
    """Return the installed packages, or None if they were not recorded."""
    if packages is None:
        return None
    return [Package(one.name, one.version, _origin(one)) for one in packages]


def _origin(package: PackageView) -> str:
    origin = package.origin or ""
    return f"editable {origin}".strip() if package.editable else origin


def variables_of(environment: Mapping[str, str] | None) -> list[Variable] | None:
    """Return the variables by name, or None if they were not recorded."""
    if environment is None:
        return None
    return [Variable(name, value, MASK in value) for name, value in sorted(environment.items())]
