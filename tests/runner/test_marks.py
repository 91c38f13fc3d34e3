"""The processes of an attempt are found by the mark in their environment, also those that have just begun."""

import os
import subprocess
import sys
from uuid import uuid4

from traindeck.runner.identity import marked

STARTS = 60
BUSY = 4


def test_a_process_is_found_by_its_mark_while_it_still_starts_on_a_busy_machine() -> None:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        for _ in range(STARTS):
            mark = uuid4().hex
            with subprocess.Popen(["sleep", "1000"], env={**os.environ, "TRAINDECK_MARK": mark}) as process:
                found = marked(mark)
                process.kill()
            assert found == [process.pid]
    finally:
        for one in busy:
            one.kill()
            one.wait()


def test_a_process_without_an_environment_is_not_awaited() -> None:
    with subprocess.Popen(["sleep", "1000"], env={}) as process:
        found = marked(uuid4().hex)
        process.kill()
    assert found == []
