# cases: stdout | stderr | both | fd
import os, sys

print("before", flush=True)
if sys.argv[1] in ("stdout", "both"):
    sys.stdout.close()
if sys.argv[1] in ("stderr", "both"):
    sys.stderr.close()
if sys.argv[1] == "fd":
    os.close(1)
    os.close(2)
