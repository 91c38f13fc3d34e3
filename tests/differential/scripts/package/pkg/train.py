import pickle, sys

from . import ARGV0
from .inner import VALUE


class Model:
    pass


print(__name__, __package__, __spec__.name, __spec__.origin, __file__, __cached__, type(__loader__).__name__)
print(sys.argv, sys.orig_argv[1:] if __name__ == "__main__" else "of a worker", sys.path[0], ARGV0, VALUE, pickle.loads(pickle.dumps(Model)).__module__)
print(open("pkg/inner/__init__.py").read())
if sys.argv[-1] == "fail":
    1 / 0
if sys.argv[-1] == "spawn" and __name__ == "__main__":
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(repr, (Model,)))
