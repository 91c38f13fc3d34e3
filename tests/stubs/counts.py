"""Prints a line twenty times a second, for as long as its argument says."""

import sys
import time

for number in range(int(sys.argv[1])):
    print(f"line {number}", flush=True)
    time.sleep(0.05)
print("end", flush=True)
