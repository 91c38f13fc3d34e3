"""Check that torch and torchvision can be imported, which GPUs the driver has, and whether torch can use them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from traindeck.cli.checks.finding import Finding, good, wrong

IMPORT_SECONDS = 120.0
"""Reading torch's libraries from a cold disk takes long."""

PROBE = """
import json, torch, torchvision
print(json.dumps({"cuda": torch.version.cuda, "gpus": torch.cuda.device_count()}))
"""


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
