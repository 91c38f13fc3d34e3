"""A script cannot tell that it was not started by `python script.py`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.served import ServedDeck

FACTS = """
import json, os, signal, sys, __main__
print(json.dumps({
    "name": __name__, "file": os.path.basename(__file__), "argv": sys.argv[1:], "spec": str(__spec__),
    "path0": sys.path[0] == os.path.dirname(os.path.abspath(__file__)), "main": __main__.__dict__ is globals(),
    "stdin": sys.stdin.read(), "builtins": __builtins__.__class__.__name__,
    "term": str(signal.getsignal(signal.SIGTERM)), "int": signal.getsignal(signal.SIGINT).__name__,
    "child": str(signal.getsignal(signal.SIGCHLD)), "pipe": str(signal.getsignal(signal.SIGPIPE)),
    "encoding": sys.stdout.encoding, "annotations": __annotations__, "doc": __doc__, "package": __package__,
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "leader": os.getpgid(0) == os.getpid(),
    "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd"))[:3], "settings":
    sorted(name for name in os.environ if name.startswith("TRAINDECK_")),
}))
"""


def launched(deck: ServedDeck, path: Path, *args: str) -> dict[str, Any]:
    run = deck.launch(script={"path": str(path), "args": list(args)})
    return deck.wait_until_ended(run["id"])


def as_python_does(path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(path), *args]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=path.parent
    )


def test_what_a_script_sees_of_itself(shared_deck: ServedDeck, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(FACTS)
    run = launched(shared_deck, script, "--lr", "0.1", "spaced out")
    seen = json.loads(shared_deck.log_of(run["id"]))
    expected = json.loads(as_python_does(script, "--lr", "0.1", "spaced out").stdout)
    assert seen.pop("settings") == ["TRAINDECK_ATTEMPT", "TRAINDECK_MARK", "TRAINDECK_RUN_ID"]
    assert seen.pop("leader") is True
    del expected["settings"], expected["leader"]
    assert seen == expected


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    raise ValueError('inner')\n\ntry:\n    f()\nexcept ValueError as e:\n    raise KeyError('outer') from e\n",
        "import json\njson.loads('{')\n",
        "x = (1,\n",
        "import sys\nsys.exit('stop here')\n",
        "import sys\nsys.excepthook = lambda *a: print('own hook', a[0].__name__, file=sys.stderr)\n1 / 0\n",
        "raise KeyboardInterrupt\n",
    ],
)
def test_a_traceback_has_no_frames_but_the_scripts(shared_deck: ServedDeck, tmp_path: Path, source: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(source)
    run = launched(shared_deck, script)
    assert shared_deck.log_of(run["id"]) == as_python_does(script).stderr


def test_siblings_are_imported_and_main_is_pickled(shared_deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "sibling.py").write_text("VALUE = 7\n")
    script = tmp_path / "train.py"
    script.write_text(
        "import pickle, sibling\nclass Model:\n    pass\n"
        "print(sibling.VALUE, type(pickle.loads(pickle.dumps(Model()))).__module__)\n"
    )
    run = launched(shared_deck, script)
    assert shared_deck.log_of(run["id"]) == "7 __main__\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_data_loader_workers_start_by_every_method(shared_deck: ServedDeck, tmp_path: Path, method: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "from torch.utils.data import DataLoader, Dataset\n"
        "class Squares(Dataset):\n"
        "    def __len__(self):\n        return 8\n"
        "    def __getitem__(self, i):\n        return i * i\n"
        "if __name__ == '__main__':\n"
        f"    loader = DataLoader(Squares(), batch_size=4, num_workers=1, multiprocessing_context='{method}')\n"
        "    print([batch.tolist() for batch in loader])\n"
    )
    run = launched(shared_deck, script)
    assert shared_deck.log_of(run["id"]) == "[[0, 1, 4, 9], [16, 25, 36, 49]]\n"
    assert run["status"] == "completed"


def test_unseeded_runs_are_not_the_same_run(shared_deck: ServedDeck) -> None:
    source = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1).item())"
    logs = []
    for _ in range(2):
        run = shared_deck.launch(source)
        shared_deck.wait_for_status(run["id"], "completed")
        logs.append(shared_deck.log_of(run["id"]).split())
    assert all(first != second for first, second in zip(*logs, strict=True))


def test_cuda_can_still_be_initialised_in_a_run(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch("import torch\nprint(torch.cuda.is_initialized(), torch._C._cuda_isInBadFork())")
    shared_deck.wait_for_status(run["id"], "completed")
    assert shared_deck.log_of(run["id"]) == "False False\n"


def test_torch_has_as_many_threads_as_the_run_has_slots(shared_deck: ServedDeck) -> None:
    source = "import os, torch\nprint(torch.get_num_threads(), os.environ['OMP_NUM_THREADS'])"
    for cpus in (1, 2):
        run = shared_deck.launch(source, resources={"cpus": cpus})
        shared_deck.wait_for_status(run["id"], "completed")
        assert shared_deck.log_of(run["id"]) == f"{cpus} {cpus}\n"


def test_output_appears_line_by_line_while_the_run_goes_on(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch("import signal\nprint('a line')\nsignal.pause()")
    shared_deck.wait_for_line(run["id"], "a line")
    shared_deck.client.post(f"/runs/{run['id']}/cancel")
    shared_deck.wait_for_status(run["id"], "cancelled")


def test_a_run_has_the_environment_that_it_was_given(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch("import os\nprint(os.environ['WANDB_MODE'])", env={"WANDB_MODE": "offline"})
    shared_deck.wait_for_status(run["id"], "completed")
    assert shared_deck.log_of(run["id"]) == "offline\n"
