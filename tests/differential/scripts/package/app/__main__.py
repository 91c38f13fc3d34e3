import sys

print(__name__, __package__, __file__, sys.argv)
sys.exit("the application ends")
