"""The progress that is read from a log, whatever its program writes and whenever somebody looks."""

import random
import re
import time
from itertools import accumulate
from pathlib import Path

import pytest
from tqdm import tqdm, trange

from progressbars.drawn import recorded
from traindeck.progressbars.bar import read_bar
from traindeck.progressbars.output import PART_BYTES, SEARCH_BYTES, OutputProgress, Reading

FLOOD = b"X" * 5_000_000
HOSTILE = [
    "%" + " " * 398 + "a",
    "1" * 399,
    "1/" * 200,
    "1/1 " + "a" * 396,
    "50%|" * 100,
    "a: " * 133,
    "1it [00:00, " * 33,
    "━" * 399,
    "━━━━━ " * 66,
    "━━━━━ 1.2.3/4.5.6 it/s",
    "━━━━━ " + "1 " * 196,
    "1 days, " * 50,
    "epoch" + " " * 394,
    "epoch: [" + " " * 391,
    "1/s, " * 80,
    "1/1 [====" + "=" * 390,
    "\x1b[999B\x1b[A" * 40,
    "\x1b]" * 200,
    "\x1b[1;" * 100,
    "\b" * 399,
    "١٢٣/٤٥٦ [00:00<00:00, 1it/s]",
]


def nested() -> list[bytes]:
    """What a program writes that draws bars within a bar, much faster than anybody looks."""
    with recorded() as output:
        for epoch in trange(3, desc="epoch"):
            for _ in tqdm(range(900), desc="train", leave=False, mininterval=0):
                pass
            tqdm.write(f"epoch {epoch} done")
    return output.writes


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "output.log"


@pytest.mark.parametrize("after", [b"", FLOOD, FLOOD + b"\n\x1b[2K\x1b[1A up \xff\xfe\nlast line\n"])
def test_the_outer_bar_counts_whenever_somebody_looks_and_whatever_follows(log: Path, after: bytes) -> None:
    writes = nested()
    ends = list(accumulate(map(len, writes)))
    log.write_bytes(b"".join(writes) + after)
    for seed in range(20):
        looks = sorted(random.Random(seed).sample(ends, 4))
        progress = OutputProgress(log)
        seen = [progress.look(size, final=True) for size in looks if size > len(writes[0]) + len(writes[1])]
        assert {(one.label, one.total) for one in seen if one} <= {("epoch", 3)}
        last = progress.look(log.stat().st_size, final=True)
        assert last is not None
        assert (last.label, last.step, last.total, last.unit) == ("epoch", 3, 3, "it")


def test_the_first_look_at_a_log_that_is_long_already_finds_its_last_bar(log: Path) -> None:
    log.write_bytes(
        b"\r 10%|#         | 1/10 [00:01<00:09, 1.00s/it]\r100%|##########| 10/10 [00:10<00:00, 1.00s/it]\n" + FLOOD
    )
    last = OutputProgress(log).look(log.stat().st_size)
    assert last is not None
    assert (last.step, last.total) == (10, 10)


def test_a_bar_of_which_the_beginning_was_passed_over_is_not_taken_for_one(log: Path) -> None:
    cut = "██████████| 1/10 [00:01<00:09, 1.00s/it] ".encode()
    log.write_bytes(
        b"start 0%| | 0/2 [00:00<?, ?it/s]\n" + b"." * 3 * PART_BYTES + cut.rjust(PART_BYTES, "█".encode()[:1])
    )
    progress = OutputProgress(log).look(log.stat().st_size)
    assert progress == Reading(0, 2, "it", None, "start")


@pytest.mark.parametrize("row", HOSTILE)
def test_rows_made_to_hurt_take_time_in_proportion_to_their_length(row: str) -> None:
    def seconds(text: str) -> float:
        begun = time.thread_time()
        read_bar(text)
        return time.thread_time() - begun

    # Cubic time would make the first some 0.4 s, and the second a minute.
    once = min(seconds(row * 5) for _ in range(3))
    twice = min(seconds(row * 10) for _ in range(3))
    assert twice < max(3.2 * once, 0.01)


@pytest.mark.parametrize("end", ["\n", "\r", ""])
def test_output_made_to_hurt_costs_a_bounded_time_and_the_last_bar_stays(log: Path, end: str) -> None:
    bar = b"train:  50%|#####     | 1/2 [00:01<00:01, 1.00s/it]\n"
    hostile = (end.join(row for row in HOSTILE if not re.match(r"[1١]", row)) + end).encode()
    log.write_bytes(bar + hostile * (4 * PART_BYTES // len(hostile)) + b"\n")
    progress = OutputProgress(log)
    assert progress.look(len(bar), final=True) is not None
    begun = time.thread_time()
    assert progress.look(log.stat().st_size, final=True) is not None
    assert time.thread_time() - begun < 1


def test_a_log_that_takes_long_is_looked_at_less_often_and_at_the_end_all_the_same(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = b"train:  %d%%|#####     | %d/100 [00:01<00:01, 1.00s/it]\n"
    log.write_bytes(b"".join(row % (step, step) for step in range(10, 90)))
    size = log.stat().st_size
    progress = OutputProgress(log)
    # As on a machine whose processor is slow: a look takes a minute.
    monkeypatch.setattr(time, "thread_time", iter((0.0, 60.0, 60.0, 120.0)).__next__)
    first = progress.look(size // 2)
    assert progress.look(size) == first
    last = progress.look(size, final=True)
    assert last is not None
    assert last.step == 89


def test_long_output_is_searched_for_its_last_bar_only_so_far_back(log: Path) -> None:
    bar = b"train:  50%|#####     | 1/2 [00:01<00:01, 1.00s/it]\n"
    log.write_bytes(b"x\n" * PART_BYTES + bar + b"\n" * (SEARCH_BYTES + PART_BYTES))
    assert OutputProgress(log).look(log.stat().st_size) is None
