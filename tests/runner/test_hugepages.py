"""Memory that a fork shares is moved into huge pages."""

import subprocess
import sys

PROGRAM = """
import mmap, os
from traindeck.runner.forkserver import SIZE, collapse
memory = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for at in range(0, len(memory), 4096):
    memory[at : at + 8] = at.to_bytes(8, "little")
moved = sum(collapse())
assert all(int.from_bytes(memory[at : at + 8], "little") == at for at in range(0, len(memory), 4096))
pages = open("/proc/self/smaps_rollup").read().split("AnonHugePages:")[1].split()[0]
thp = SIZE.exists() and "[never]" not in SIZE.with_name("enabled").read_text()
print(moved, int(pages) * 1024, thp and tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 1))
"""


def test_memory_is_moved_where_the_kernel_can_and_holds_what_it_held() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    moved, huge, able = done.stdout.split()
    # How much of it the kernel finds room for is its own affair.
    assert (int(moved) > 0 and int(huge) > 0) == (able == "True")
