"""Brings a whole event file at once, and ends at that moment, so that the deck reads all of it after the end.

python many_points.py FILE
"""

import shutil
import sys
from pathlib import Path

file = Path(sys.argv[1])
shutil.copyfile(file, "copy")
Path("copy").rename(file.name)
print("written", flush=True)
