import sys

from tqdm import tqdm

for _ in tqdm(range(3), file=sys.stdout, bar_format="{desc}{n_fmt}/{total_fmt}", mininterval=0):
    pass
print("mixed ", end="")
sys.stderr.write("to stderr\n")
print("done")
