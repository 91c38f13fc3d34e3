import multiprocessing, time


def late():
    time.sleep(0.1)
    print("a child that the end waits for", flush=True)


def forever():
    time.sleep(600)


if __name__ == "__main__":
    multiprocessing.Process(target=late).start()
    multiprocessing.Process(target=forever, daemon=True).start()
    print("main ends", flush=True)
