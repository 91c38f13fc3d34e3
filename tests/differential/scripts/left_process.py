import multiprocessing, time


def late(gate):
    gate.wait()
    print("a child that the end waits for", flush=True)


def forever():
    time.sleep(600)


if __name__ == "__main__":
    gate = multiprocessing.Event()
    multiprocessing.Process(target=late, args=(gate,)).start()
    multiprocessing.Process(target=forever, daemon=True).start()
    print("main ends", flush=True)
    gate.set()
