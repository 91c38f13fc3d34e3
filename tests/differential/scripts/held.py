"""What only a signal handler or a hook holds is finalised, too."""
import gzip
import signal
import sys


class Part:
    def __init__(self, name):
        self.name = name

    def __call__(self, *args):
        sys.__excepthook__(*args)

    def __del__(self):
        print("del", self.name)


class Trainer(Part):
    def __init__(self, name):
        super().__init__(name)
        self.file = gzip.GzipFile(name, "wb", mtime=0, compresslevel=1)
        self.file.write(name.encode())

    def stop(self, *args):
        raise SystemExit(1)


signal.signal(signal.SIGTERM, Trainer("handler").stop)
sys.excepthook = Part("hook")
print("end")
