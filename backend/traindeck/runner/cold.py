"""A shim without a forkserver: for platforms where fork is not safe, and for runs that ask for a fresh Python.

python -m traindeck.runner.cold ORDER
"""

import sys
from pathlib import Path

from traindeck.runner.shim import supervise

if __name__ == "__main__":
    sys.exit(supervise(Path(sys.argv[1]), None))
