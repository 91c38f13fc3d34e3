import sys

ARGV0 = sys.argv[0]
