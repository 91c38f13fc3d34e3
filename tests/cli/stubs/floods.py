"""floods.py: bytes that are no text, a torn character, a bar of carriage returns, and no line feed at the end."""

import sys

out = sys.stdout.buffer
out.write(bytes(range(256)) * 300)
out.write(b"\n\r 10%\r 20%\r100%\n")
for number in range(50_000):
    out.write(b"line %d\n" % number)
out.write("half a character: é".encode()[:-1])
out.flush()
