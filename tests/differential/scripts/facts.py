# cases: plain | --lr 0.1 "spaced out" --flag=a=b
"""A docstring."""
import os, sys, __main__

x: int = 1
print(__name__, __file__, __spec__, __package__, __doc__, __annotations__, __cached__)
print(type(__loader__).__name__, __loader__.path, __builtins__.__name__, __main__.__dict__ is globals())
print(sys.argv, sys.orig_argv[1:], sys.executable, [flag for flag in str(sys.flags).split(", ") if "dont_write_bytecode" not in flag], sys.dont_write_bytecode)
print([path for path in sys.path], os.getcwd() == os.path.realpath("."))
print([name for name in globals()])
print(sys.getdefaultencoding(), sys.getfilesystemencoding(), sys.getrecursionlimit(), sys.getswitchinterval())
print(sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, sys.breakpointhook is sys.__breakpointhook__)
print(hasattr(sys, "last_value"), hasattr(sys, "ps1"), sys.gettrace(), sys.getprofile(), sys.unraisablehook is sys.__unraisablehook__)
w = 1
