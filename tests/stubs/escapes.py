"""Starts a daemon in the classic way (two forks, a session of its own, no streams), then hangs or ends."""

import os
import signal
import sys
from pathlib import Path

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.chdir("/")
        os.closerange(0, 1024)
        while True:
            signal.pause()
    os._exit(0)
os.wait()
print("escaped", flush=True)
if "hang" in sys.argv:
    while True:
        signal.pause()
Path("done").touch()
