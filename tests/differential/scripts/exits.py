# cases: None | 0 | 3 | 300 | -1 | True | 2.5 | 2**70 | -2**70 | 'text' | '' | b'bytes' | [1] | ('a',1) | ValueError('v')
import sys

print("before")
sys.exit(eval(sys.argv[1]))
