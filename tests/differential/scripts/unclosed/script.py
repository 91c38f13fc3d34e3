import sys
import holds

kept = open("kept.txt", "w")
kept.write("k" * 100)


def keep(file):
    sys.my_hook = lambda: file
    file.write("by a function that something else holds")


keep(open("hooked.txt", "w"))
binary = open("binary.bin", "wb")
binary.write(bytes(range(256)))
both = open("both.bin", "w+b")
both.write(b"read and write")
holds.FILE.write("of a sibling")
