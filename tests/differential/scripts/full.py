import os, sys

os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)
sys.stdout.write("cannot be written")
