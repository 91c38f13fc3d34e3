"""Threads of the server take turns quickly: one that reads a long event file holds up no answer, start or stop."""

import os
import subprocess
import sys
from pathlib import Path

SERVES = """
import os, signal, sys
from traindeck.server import serve
from traindeck.settings import Settings

def on_ready(url):
    print(sys.getswitchinterval(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)

serve(Settings(), on_ready)
"""


def test_the_server_gives_its_threads_short_turns(tmp_path: Path) -> None:
    environment = {**os.environ, "TRAINDECK_HOME": str(tmp_path / "home"), "TRAINDECK_PORT": "0", "TRAINDECK_COLD": "1"}
    command = [sys.executable, "-c", SERVES]
    served = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert served.returncode == 0, served.stderr
    assert float(served.stdout) <= sys.getswitchinterval() / 5
