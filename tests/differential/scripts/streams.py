import sys

for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.fileno(), stream.isatty(), stream.closed, stream.newlines)
print(sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__)
print(repr(sys.stdin.read()), sys.stdin.readline() == "", list(sys.stdin))
print("ünïcode ✓ 漢字", file=sys.stderr)
sys.stdout.buffer.write(b"bytes\n")
sys.stdout.flush()
try:
    input("prompt> ")
except EOFError as error:
    print("EOFError", error)
