"""Each kind of bar, in the forms that programs print."""

import pytest

from traindeck.progressbars.bar import Bar, read_bar

FORMS = {
    "  0%|          | 0/100 [00:00<?, ?it/s]": (0, 100, "it", None, None),
    " 45%|████▌     | 450/1000 [00:10<00:12, 45.30it/s]": (450, 1000, "it", None, 12),
    "Epoch 3:  45%|████▌     | 450/1000 [00:10<00:12, 45.00it/s, v_num=3]": (450, 1000, "it", "Epoch 3", 12),
    " 33%|###3      | 1/3 [00:10<00:20, 10.0s/it, loss=0.3]": (1, 3, "it", None, 20),
    "1/3 [00:10<00:20, 10.0s/it, loss=0.3]": (1, 3, "it", None, 20),
    "450it [00:10, 45.00it/s]": (450, None, "it", None, None),
    "0it [00:00, ?it/s]": (0, None, "it", None, None),
    "100%|██████████| 9.91M/9.91M [00:01<00:00, 8.21MB/s]": (9_910_000, 9_910_000, "B", None, 0),
    "fetch:  2%|▏  | 1.20k/50.0k [00:01<1:02:03, 12.5kB/s]": (1_200, 50_000, "B", "fetch", 3_723),
    "Map:  12%|█▏        | 1200/10000 [00:01<00:08, 1000.00 examples/s]": (1200, 10_000, "examples", "Map", 8),
    " 45% 45/100 [00:10<00:12,  4.5it/s]": (45, 100, "it", None, 12),
    " 45%|████▌     |": (45, 100, "%", None, None),
    "Working... ━━━━━━━━━━━━━━━╸━━━━━━━━━━━━━━━━━━━━━━━━  45% 0:00:12": (45, 100, "%", "Working...", 12),
    "Epoch 0/2 ━━━━━━━━━━━━ 45/100 0:00:10 • 0:00:12 45.30it/s v_num: 3": (45, 100, "it", "Epoch 0/2", 12),
    "mnist.gz ━━━━━━━━━ 45.0% • 1.2/5.0 MB • 3.4 MB/s • 0:00:10": (1_200_000, 5_000_000, "B", "mnist.gz", 10),
    "450/1000 [====>....] - ETA: 12s - loss: 0.3": (450, 1000, "step", None, 12),
    "450/1000 [====>....] - ETA: 1:12 - loss: 0.3": (450, 1000, "step", None, 72),
    "45/100 ━━━━━━━━━━━━━━━━━━━━ 2s 45ms/step - loss: 0.3": (45, 100, "step", None, 2),
    "100/100 ━━━━━━━━━━━━━━━━━━━━ 2s 45ms/step - loss: 0.3": (100, 100, "step", None, 0),
}
NO_BARS = [
    "",
    "epoch 1: loss 0.5",
    "Train Epoch: 1 [640/60000 (1%)]\tLoss: 0.3",
    "loss: 0.5 [   64/60000]",
    "accuracy 45% of all [00:10]",
    "2026-01-01 10:00:00 [INFO] took 45s [00:10]",
    "45% | 3 | 4",
    "1.2k/50k it/s",
    "━━━ a heading ━━━",
]


@pytest.mark.parametrize("row", FORMS)
def test_a_bar_tells_how_far_it_is_of_what_and_how_long_it_takes(row: str) -> None:
    bar = read_bar(row)
    assert bar is not None
    assert (bar.step, bar.total, bar.unit, bar.label, bar.left) == FORMS[row]


@pytest.mark.parametrize("row", NO_BARS)
def test_other_lines_are_no_bars(row: str) -> None:
    assert read_bar(row) is None


@pytest.mark.parametrize(("rate", "each"), [("45.3it/s", 1 / 45.3), ("1.2s/it", 1.2), ("2.00kit/s", 0.0005)])
def test_a_rate_is_read_in_either_form(rate: str, each: float) -> None:
    bar = read_bar(f" 45%|████▌     | 450/1000 [00:10<00:12, {rate}]")
    assert isinstance(bar, Bar)
    assert bar.seconds_each == pytest.approx(each)


@pytest.mark.parametrize(
    "row",
    [
        "9" * 400,
        "9" * 200 + "%|" + "█" * 198,
        "1/" * 200,
        "[" * 300 + "00:00<",
        "━" * 400,
        "0" * 18 + "/" + "9" * 18 + " [999999:59<999999:59, 9999999999999it/s]",
        "%|| 1/0 [00:00<00:00, 0.00it/s]",
        "a: " * 130 + "%|",
        "1it " * 100 + "[00:00, /s]",
    ],
)
def test_rows_made_to_confuse_cost_next_to_nothing(row: str) -> None:
    read_bar(row)
