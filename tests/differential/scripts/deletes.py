import json

PREFIX = "deleted"


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(json.dumps([PREFIX, self.name, helper()]))


def helper():
    return "helped"


def stream():
    try:
        yield 1
    finally:
        print("generator closed")


plain = Noisy("plain")
cycle = Noisy("cycle")
cycle.me = cycle
running = stream()
next(running)
print("end")
