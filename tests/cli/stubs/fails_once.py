"""fails_once.py FILE: the first time, makes FILE and fails; the second time, it is done."""

import sys
from pathlib import Path

mark = Path(sys.argv[1])
print("second" if mark.exists() else "first", flush=True)
if not mark.exists():
    mark.touch()
    sys.exit(7)
