"""Event files outside of the working folder: what a script can see of them is the same."""

import os
import shutil
import stat
import tempfile
import traceback

from torch.utils.tensorboard import SummaryWriter

top = tempfile.mkdtemp()
for place in ("runs/exp", "runs/exp", "other"):
    with SummaryWriter(f"{top}/{place}") as writer:
        writer.add_scalars("loss", {"train": 1.0, "val": 2.0}, 1)
        print(vars(writer.file_writer.event_writer).keys())
for folder, folders, names in sorted(os.walk(top)):
    files = [os.lstat(f"{folder}/{name}") for name in names]
    print(folder[len(top) :], sorted(folders), [(file.st_size, stat.filemode(file.st_mode)) for file in files])
open(f"{top}/file", "w").close()
try:
    SummaryWriter(f"{top}/file/logs")
except OSError:
    print(traceback.format_exc().replace(top, "TOP"))
shutil.rmtree(top)
