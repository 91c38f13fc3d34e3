"""The GPUs that the driver lists, and whether torch can use them."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.cli.checks.torch import TorchReport


@dataclass(frozen=True, slots=True)
class Driver:
    """NVIDIA's driver as NVML tells of it: its version, the newest CUDA (major, minor) it serves, GPUs by name."""

    version: str
    cuda: tuple[int, int]
    gpus: tuple[str, ...]


def check_gpus(report: TorchReport) -> list[Finding]:
    """What there is to train on. That there is no GPU is no fault: runs then train on the CPU."""
    driver = find_driver()
    if driver is None or (isinstance(driver, Driver) and not driver.gpus):
        return [good("gpus", "none: runs train on the CPU")]
    if isinstance(driver, str):
        return [wrong("gpus", f"the driver does not answer: {driver}", "Restart the machine, or repair the driver.")]
    listed = ", ".join(f"{index}: {name}" for index, name in enumerate(driver.gpus))
    cuda = ".".join(str(part) for part in driver.cuda)
    return [good("gpus", f"{listed}; driver {driver.version} for CUDA {cuda}"), judge(driver, report)]


def judge(driver: Driver, report: TorchReport) -> Finding:
    """Whether this torch can use the GPUs of this driver.

    Within one major version of CUDA, a driver serves programs that were built for a later minor one.
    """
    there = len(driver.gpus)
    if report.problem:
        return wrong("gpu in torch", "torch cannot be imported", "See the line about its import.")
    if report.cuda is None:
        return wrong("gpu in torch", "this torch is built for the CPU only", "Install a torch that is built for CUDA.")
    if driver.cuda[0] < int(report.cuda.partition(".")[0]):
        found = f"torch wants CUDA {report.cuda}, but driver {driver.version} is older"
        return wrong("gpu in torch", found, f"Update the driver, or install a torch for CUDA {driver.cuda[0]}.")
    if not report.gpus:
        advice = "Look whether CUDA_VISIBLE_DEVICES hides them, and whether the driver's kernel module is loaded."
        return wrong("gpu in torch", f"torch sees none of the {there}", advice)
    return good("gpu in torch", f"torch can use {report.gpus} of {there}")


def find_driver() -> Driver | str | None:
    """The driver; None where there is none; what is wrong where it is there and does not answer."""
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
