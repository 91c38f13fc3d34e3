"""Prints lines until the file that its argument names is there, then a last one."""

import itertools
import sys
import time
from pathlib import Path

gate = Path(sys.argv[1])
for number in itertools.count():
    print(f"line {number}", flush=True)
    if gate.exists():
        break
    time.sleep(0.02)
print("end", flush=True)
