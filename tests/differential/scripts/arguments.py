# cases: --help | --lr 0.5 data.csv | --lr 1000
import argparse

parser = argparse.ArgumentParser(description="A trainer.")
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("files", nargs="*")
arguments = parser.parse_args()
if arguments.lr > 100:
    parser.error("that is too fast")
print(arguments)
