# cases: own | broken | exits | none | missing | thread
import sys, threading


def own(kind, value, traceback):
    print("own", kind.__name__, value, traceback.tb_lineno, traceback.tb_next, sys.last_value is value, file=sys.stderr)


def broken(kind, value, traceback):
    raise LookupError("in the hook")


def exits(kind, value, traceback):
    sys.exit(7)


case = sys.argv[1]
if case == "none":
    sys.excepthook = None
elif case == "missing":
    del sys.excepthook
elif case == "thread":
    threading.excepthook = lambda args: print("thread", args.exc_type.__name__, args.thread.name, flush=True)
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
else:
    sys.excepthook = globals()[case]
1 / 0
