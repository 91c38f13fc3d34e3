"""What the server imports stays light, and reading event files needs neither torch nor TensorBoard."""

import subprocess
import sys
from pathlib import Path

from events.eventfiles import NAME, frame, scalar, version, write


def test_importing_the_tail_and_the_readers_loads_nothing_heavy() -> None:
    code = (
        "import sys, traindeck.events.tail, traindeck.events.series\n"
        "print(*({'numpy', 'torch', 'tensorboard', 'tsdownsample', 'google.protobuf'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""


def test_reading_loads_neither_torch_nor_tensorboard(work: Path, store: Path) -> None:
    write(work / NAME, version(), scalar("loss", 1, 1), frame(b"\xff"))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from traindeck.events.tail import catch_up\n"
        "from traindeck.events.series import read_series\n"
        "store = Path(sys.argv[2])\n"
        "catch_up(Path(sys.argv[1]), store, 60)\n"
        "assert read_series(store, 'loss').values == [1.0]\n"
        "print(*({'torch', 'tensorboard', 'google.protobuf', 'absl'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(work), str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
