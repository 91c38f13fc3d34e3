"""waits.py FILE [CODE]: says how far it is, waits until FILE is there, and exits with CODE."""

import sys
import time
from pathlib import Path

from traindeck.runner.progress import ProgressFile

progress = ProgressFile(Path("../progress.json"))
progress.report(45, 100)
print("waiting", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.02)
print("went on", flush=True)
sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
