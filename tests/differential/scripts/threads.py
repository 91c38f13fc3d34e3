import atexit, threading, time

gate = threading.Event()


def late():
    gate.wait()
    with open("late.txt", "w") as file:
        file.write("written after the main thread had ended")
    print("late")


def forever():
    while True:
        time.sleep(60)


atexit.register(lambda: print("atexit", [thread.name for thread in threading.enumerate()]))
threading.Thread(target=late, name="late").start()
threading.Thread(target=forever, name="forever", daemon=True).start()
threading.Timer(0.05, gate.set).start()
print("main ends")
