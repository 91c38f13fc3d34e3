import gc, os, resource, signal, sys, threading, time

print([(number.name, str(signal.getsignal(number))) for number in sorted(signal.valid_signals()) if isinstance(number, signal.Signals)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL), signal.set_wakeup_fd(-1))
print([resource.getrlimit(limit) for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_STACK, resource.RLIMIT_AS)])
mask = os.umask(0o22)
os.umask(mask)
print(oct(mask), os.nice(0), sorted(os.listdir("/proc/self/fd"))[:3], len(os.listdir("/proc/self/fd")))
print(threading.active_count(), threading.current_thread().name, threading.current_thread() is threading.main_thread())
print(threading.main_thread().ident == threading.get_ident(), threading.main_thread().native_id == os.getpid(), len(os.listdir("/proc/self/task")))
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks, time.tzname, sorted(os.sched_getaffinity(0)))
print(sys.getallocatedblocks() > 0, os.getpid() != os.getppid(), open("/proc/self/comm").read().strip())
