"""Daemon threads that are in the midst of something when the program ends: nobody hears of them any more."""
import threading
import time
import _thread


class Monitor(threading.Thread):
    def __init__(self, pause):
        super().__init__(daemon=True)
        self.pause, self.seen = pause, 0

    def run(self):
        while True:
            sample(self)
            time.sleep(self.pause)


def sample(monitor):
    monitor.seen += len(history)


def bare():
    while True:
        sample(monitors[0])
        time.sleep(0.0005)


def count():
    number = 0
    while True:
        number += 1


history = [1]
logs = [open(f"log-{number}", "w") for number in range(50)]
monitors = [Monitor(pause) for pause in (0.0002, 0.0005, 0.001, 0)]
for monitor in monitors:
    monitor.start()
_thread.start_new_thread(bare, ())
threading.Thread(target=count, daemon=True).start()
while monitors[0].seen < 5:
    time.sleep(0.001)
print("trained")
