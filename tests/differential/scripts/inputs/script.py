import csv, json, os
from pathlib import Path

print(json.load(open("configs/base.json")), Path("configs/deep/more.yaml").read_text(), open("data/rows.csv").read())
print(list(csv.reader(open("table.csv"))), sorted(os.listdir("configs")), os.path.isdir("empty"))
print(Path(__file__).with_name("table.csv").read_text(), Path(__file__).resolve().parent == Path("script.py").resolve().parent)
open("configs/written.txt", "w").write("new")
open("table.csv", "a").write("3,4\n")
Path("out/a/b").mkdir(parents=True)
Path("out/a/b/result.json").write_text("{}")
os.symlink("out", "link")
os.chdir("out")
open("here.txt", "w").write("relative")
