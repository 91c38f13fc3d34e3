# cases: plain | error | exit
"""Files that nobody closes, held in the ways in which scripts hold them, beside functions that hold the module."""
import bz2
import codecs
import csv
import functools
import gzip
import io
import lzma
import sys
import zipfile

log = open("train.log", "w")
rows = open("metrics.csv", "w", newline="")
writer = csv.DictWriter(rows, ["step", "loss"])
packed = io.TextIOWrapper(gzip.GzipFile("packed.txt.gz", "wb", mtime=0, compresslevel=1))
binary = bz2.open("packed.bz2", "wb")
small = lzma.open("packed.xz", "wt")
encoded = codecs.open("encoded.txt", "w", "utf-8")
archive = zipfile.ZipFile("archive.zip", "w")


class Logger:
    def __init__(self, path):
        self.file = open(path, "w")
        self.me = self

    def write(self, text):
        self.file.write(text)


logger = Logger("logger.txt")


@functools.lru_cache
def opened(path):
    return open(path, "ab")


def report(step):
    log.write(f"step {step}\n")
    writer.writerow({"step": step, "loss": 1 / (1 + step)})
    packed.write("packed\n")
    binary.write(b"binary\n")
    small.write("small\n")
    encoded.write("é\n")
    logger.write("logged\n")
    opened("cached.bin").write(b"cached")


for step in range(3):
    report(step)
archive.writestr(zipfile.ZipInfo("one.txt", (2020, 1, 1, 0, 0, 0)), "one")
if sys.argv[1] == "error":
    raise ValueError("on the way")
if sys.argv[1] == "exit":
    sys.exit("enough")
