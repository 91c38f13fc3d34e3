"""Waits for ever."""

import signal

print("hanging", flush=True)
while True:
    signal.pause()
