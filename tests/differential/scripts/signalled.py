# cases: SIGABRT | SIGKILL | SIGSEGV | SIGTERM | SIGHUP | SIGUSR1 | SIGINT | abort
import atexit, os, resource, signal, sys

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
atexit.register(print, "atexit")
print("before", flush=True)
if sys.argv[1] == "abort":
    os.abort()
os.kill(os.getpid(), getattr(signal, sys.argv[1]))
print("after")
