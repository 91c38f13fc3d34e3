import atexit

atexit.register(print, "atexit still runs")


def work():
    raise KeyboardInterrupt("asked")


work()
