# cases: writer | both | raises | deleted | closed
"""The streams of the output in other hands."""
import codecs
import io
import sys

what = sys.argv[1]
if what == "writer":
    sys.stdout = codecs.getwriter("utf-8")(sys.stdout.detach())
if what in ("both", "raises"):
    sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8", line_buffering=True)
    sys.stderr = io.TextIOWrapper(sys.stderr.detach(), encoding="utf-8", line_buffering=True)
print("é")
if what == "raises":
    raise RuntimeError("ü")
if what == "deleted":
    del sys.stdout
if what == "closed":
    sys.stderr.close()
