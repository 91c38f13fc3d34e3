# cases: killed | aborted | exits
"""What was printed before a sudden end is there, though no line was ended."""
import os
import signal
import sys

print("first", end="")
sys.stdout.write(" second")
sys.stdout.buffer.write(b" third")
print(" error", end="", file=sys.stderr)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "aborted":
    os.abort()
os._exit(3)
