"""Whether torch and torchvision can be imported, and what torch sees: asked of another process."""

import json
import subprocess
import sys
from dataclasses import dataclass

from traindeck.cli.checks.finding import Finding, good, wrong

IMPORT_SECONDS = 120.0
"""From a cold disk, torch's libraries take their time."""

PROBE = """
import json, torch, torchvision
print(json.dumps({"cuda": torch.version.cuda, "gpus": torch.cuda.device_count()}))
"""


@dataclass(frozen=True, slots=True)
class TorchReport:
    """What torch says of itself: the CUDA version that it was built for, and the GPUs that it can use.

    `problem` is None where it can be imported at all, and otherwise the last line of the error.
    """

    problem: str | None
    cuda: str | None = None
    gpus: int = 0


def ask_torch() -> TorchReport:
    """Import torch and torchvision in a process of their own, which takes some seconds."""
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
    """Whether training can begin at all."""
    if report.problem:
        advice = "Install torch and torchvision again, both from the same place and in versions that go together."
        return wrong("torch import", report.problem, advice)
    built = f"built for CUDA {report.cuda}" if report.cuda else "built for the CPU only"
    return good("torch import", f"torch and torchvision can be imported; {built}")
