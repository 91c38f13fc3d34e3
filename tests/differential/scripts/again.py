import os, sys

print(sys.argv[1:], flush=True)
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], "again"])
