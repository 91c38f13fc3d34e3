import atexit, sys, weakref


def fail(*args, **options):
    print("failing", args, options, flush=True)
    raise ValueError("in atexit")


class Thing:
    pass


thing = Thing()
weakref.finalize(thing, print, "finalized")
atexit.register(print, "registered first, runs last")
atexit.register(fail, 1, key="value")
atexit.register(lambda: sys.exit(3))
atexit.register(lambda: atexit.register(print, "registered late"))
print("end")
