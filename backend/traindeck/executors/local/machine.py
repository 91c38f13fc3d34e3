"""What this machine has to train on."""

from importlib import import_module

from traindeck.executors.protocol import Gpu


def find_gpus() -> list[Gpu]:
    """The NVIDIA GPUs of this machine; none where there is no driver."""
    nvml = import_module("pynvml")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return []
    try:
        return [_gpu(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError:
        return []
    finally:
        nvml.nvmlShutdown()


def driver_version() -> str | None:
    """The version of the NVIDIA driver; None where there is none."""
    nvml = import_module("pynvml")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    try:
        version = nvml.nvmlSystemGetDriverVersion()
    except nvml.NVMLError:
        return None
    finally:
        nvml.nvmlShutdown()
    return version if isinstance(version, str) else str(version.decode())


def _gpu(nvml: object, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)  # type: ignore[attr-defined]
    name = nvml.nvmlDeviceGetName(handle)  # type: ignore[attr-defined]
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)  # type: ignore[attr-defined]
    return Gpu(index, name if isinstance(name, str) else name.decode(), int(memory.total))
