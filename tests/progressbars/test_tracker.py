"""Which bar is the run's progress, read from what real programs draw."""

import time
from itertools import pairwise

import pytest
from rich.console import Console
from rich.progress import Progress
from tqdm import tqdm

from progressbars.drawn import readings, readings_of, recorded
from traindeck.progressbars.output import Reading, Tracker
from traindeck.progressbars.screen import COLUMNS, ROWS, Screen


def bars(count: int, **options: object) -> tqdm:
    """A bar that draws every step."""
    return tqdm(range(count), mininterval=0, **options)


def assert_never_back(seen: list[Reading]) -> None:
    shares = [reading.step / (reading.total or 1) for reading in seen]
    assert all(before <= after for before, after in pairwise(shares)), shares


def test_a_single_bar_is_the_progress() -> None:
    seen = readings_of(lambda: [None for _ in bars(50, desc="train", unit="batch")])
    assert (seen[0].step, seen[-1].step, seen[-1].total) == (0, 50, 50)
    assert {(reading.unit, reading.label) for reading in seen} == {("batch", "train")}
    assert_never_back(seen)


@pytest.mark.parametrize("leave", [True, False])
def test_of_nested_bars_the_outer_one_counts_and_the_inner_one_refines_the_time_left(leave: bool) -> None:
    def program() -> None:
        for _ in bars(3, desc="Epochs"):
            for _ in bars(10, desc="train", leave=leave):
                time.sleep(0.002)
            for _ in bars(4, desc="val", leave=leave):
                time.sleep(0.002)

    seen = readings_of(program)
    assert {(reading.label, reading.total) for reading in seen} == {("Epochs", 3)}
    assert seen[-1].step == 3
    assert_never_back(seen)


def test_the_time_left_is_of_the_whole() -> None:
    drawn = (
        "Epochs:  33%|███▎      | 1/3 [01:40<03:20, 100.00s/it]\n"
        "\rtrain:  50%|█████     | 50/100 [00:50<00:50,  1.00it/s]\x1b[A"
    )
    [reading] = readings([drawn.encode()])
    assert (reading.step, reading.total, reading.eta_seconds) == (1, 3, 150)


def test_bars_of_numbered_epochs_are_parts_of_the_whole_and_validation_does_not_lead_back() -> None:
    def program() -> None:
        for epoch in range(1, 4):
            for _ in bars(4, desc=f"Epoch {epoch}/3"):
                pass
            for _ in bars(3, desc="Validation"):
                pass
            print("loss", epoch)

    seen = readings_of(program)
    assert {(reading.unit, reading.total) for reading in seen} == {("epoch", 3)}
    assert seen[-1] == Reading(3, 3, "epoch", 0, "Epoch 3/3")
    assert_never_back(seen)


def test_epochs_that_count_from_zero_come_to_their_end() -> None:
    def program() -> None:
        for epoch in range(3):
            for _ in bars(4, desc=f"Epoch {epoch}/3"):
                pass

    seen = readings_of(program)
    assert (seen[-1].step, seen[-1].total) == (3, 3)
    assert_never_back(seen)


def test_a_download_has_its_label_and_gives_way_to_the_training() -> None:
    def program() -> None:
        for _ in bars(5, unit="B", unit_scale=True):
            pass
        for _ in bars(7, desc="train"):
            pass

    seen = readings_of(program)
    assert (seen[0].label, seen[0].unit) == ("Downloading", "B")
    assert (seen[-1].label, seen[-1].step) == ("train", 7)


def test_text_between_bars_changes_nothing() -> None:
    def program() -> None:
        for step in bars(20):
            print("step", step)
            tqdm.write("and more\nin two lines")

    seen = readings_of(program)
    assert seen[-1].step == 20
    assert_never_back(seen)


def test_a_bar_without_an_end_has_a_step_only() -> None:
    seen = readings_of(lambda: [None for _ in tqdm(iter(range(30)), mininterval=0)])
    assert (seen[-1].step, seen[-1].total, seen[-1].eta_seconds) == (30, None, None)


def test_rich_is_read_where_it_draws() -> None:
    def program() -> None:
        with Progress(console=Console(force_terminal=True, width=100), refresh_per_second=100) as progress:
            epochs = progress.add_task("Epochs", total=4)
            for epoch in range(4):
                steps = progress.add_task(f"epoch {epoch}", total=10)
                for _ in range(10):
                    progress.advance(steps)
                    progress.refresh()
                progress.remove_task(steps)
                progress.advance(epochs)
                progress.refresh()

    seen = readings_of(program)
    assert {(reading.label, reading.unit, reading.total) for reading in seen} == {("Epochs", "%", 100)}
    assert {0, 25, 50, 75, 100} == {reading.step for reading in seen}


def test_keras_says_the_epoch_above_the_bar() -> None:
    drawn = (
        b"Epoch 3/10\n\x1b[1m 45/100\x1b[0m \x1b[32m"
        + "━━━━━━━━━━━".encode()
        + b"\x1b[0m \x1b[1m2s\x1b[0m 40ms/step - loss: 0.3"
    )
    [reading] = readings([drawn])
    assert (reading.step, reading.total, reading.unit, reading.label) == (2, 10, "epoch", "Epoch 3/10")
    assert reading.eta_seconds == pytest.approx(4 * 7.55)


def test_a_screen_stays_small_whatever_is_written() -> None:
    screen, tracker = Screen(), Tracker()
    for output in (
        b"\n" * 9_999,
        b"x" * 99_999,
        b"\x1b[999B\x1b[999C",
        b"\x1b[" + b"9" * 5_000,
        b"\xff\xfe\x1b",
        b"\x1b]0;" * 999,
    ):
        screen.feed(output)
        tracker.look(screen)
        assert len(screen.rows) <= ROWS
        assert max(map(len, screen.rows)) <= COLUMNS


def test_bytes_split_anywhere_read_the_same_in_the_end() -> None:
    drawn = "Epochs:  33%|███▎      | 1/3 [01:40<03:20, 100.00s/it]\n\rtrain:  50%|█████     | 50/100 [00:50<00:50,  1.00it/s]\x1b[A"
    assert readings([bytes([byte]) for byte in drawn.encode()])[-1] == readings([drawn.encode()])[-1]


@pytest.mark.parametrize("looks", [1, 2, 3, 7])
def test_what_is_printed_after_the_last_bar_does_not_hide_its_end(looks: int) -> None:
    def program() -> None:
        for _ in bars(40):
            pass
        print("loss 0.1", "done", "Training process has finished.", sep="\n")

    with recorded() as output:
        program()
    written = b"".join(output.writes)
    screen, tracker = Screen(), Tracker()
    for part in range(looks):
        screen.feed(written[part * len(written) // looks : (part + 1) * len(written) // looks])
        reading = tracker.look(screen)

    assert reading is not None
    assert (reading.step, reading.total) == (40, 40)
