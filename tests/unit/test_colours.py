"""The colours of compared runs can be told from both backgrounds and from each other, also with a color vision deficiency.

Simulated after Machado, Oliveira and Fernandes (2009), at full severity; distances are CIEDE2000 (Sharma, 2005).
"""

import itertools
import math
import re
from pathlib import Path

import pytest

from traindeck.boards.palette import COLOURS
from traindeck.pages import compare_page

CSS = Path(__file__).parents[2] / "frontend" / "static" / "css" / "tokens.css"
GRAPHICS = 3.0
"""WCAG 2.2, 1.4.11: contrast of what is drawn."""
APART = 8.5
"""Distance of any two colours, whoever looks. About 2 is just noticeable side by side."""
WELL_APART = 12.0
VISIONS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip
XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)
Triple = tuple[float, float, float]


def blocks() -> dict[str, list[dict[str, str]]]:
    """The tokens of the light theme, and of the dark one: by the system, and as chosen."""
    parts = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in CSS.read_text().split("--bg:")[1:]]
    grounds = re.findall(r"--bg: (#[0-9a-f]{6})", CSS.read_text())
    found = [{**part, "bg": ground} for part, ground in zip(parts, grounds, strict=True)]
    return {"light": found[:1], "dark": found[1:]}


def linear(colour: str) -> Triple:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return red, green, blue


def times(matrix: tuple[Triple, ...], colour: Triple) -> Triple:
    first, second, third = (sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix)
    return first, second, third


def contrast(one: str, other: str) -> float:
    dark, light = sorted(times(XYZ, linear(each))[1] for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, vision: str) -> Triple:
    seen = times(VISIONS[vision], linear(colour))
    bounded = (min(max(seen[0], 0), 1), min(max(seen[1], 0), 1), min(max(seen[2], 0), 1))
    parts = [value / white for value, white in zip(times(XYZ, bounded), WHITE, strict=True)]
    x, y, z = (part ** (1 / 3) if part > 216 / 24389 else part * 841 / 108 + 4 / 29 for part in parts)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: Triple, other: Triple) -> float:
    """CIEDE2000."""
    mean = (math.hypot(*one[1:]) + math.hypot(*other[1:])) / 2
    stretch = 1.5 - 0.5 * math.sqrt(mean**7 / (mean**7 + 25**7))
    (l1, c1, h1), (l2, c2, h2) = (
        (light, math.hypot(a * stretch, b), math.degrees(math.atan2(b, a * stretch)) % 360)
        for light, a, b in (one, other)
    )
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, chroma, middle = (l1 + l2) / 2, (c1 + c2) / 2, (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    weights = ((0.17, 1, 30), (-0.24, 2, 0), (-0.32, 3, -6), (0.2, 4, 63))
    tilt = 1 - sum(weight * math.cos(math.radians(count * middle - at)) for weight, count, at in weights)
    turned = math.sin(math.radians(60 * math.exp(-(((middle - 275) / 25) ** 2))))
    rotation = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7)) * turned
    by_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2))
    by_chroma, by_hue = (c2 - c1) / (1 + 0.045 * chroma), hue / (1 + 0.015 * chroma * tilt)
    return math.sqrt(by_light**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ],
)
def test_the_distance_is_that_of_the_published_pairs(one: Triple, other: Triple, expected: float) -> None:
    assert distance(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_colour_stands_out_from_the_page_and_from_a_card(theme: str) -> None:
    for tokens in blocks()[theme]:
        for number in range(1, 9):
            for ground in ("bg", "surface"):
                assert contrast(tokens[f"run-{number}"], tokens[ground]) >= GRAPHICS, (number, ground)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_two_colours_can_be_told_apart(theme: str, vision: str) -> None:
    least = WELL_APART if vision == "normal" else APART
    for tokens in blocks()[theme]:
        seen = {number: lab(tokens[f"run-{number}"], vision) for number in range(1, 9)}
        for one, other in itertools.combinations(seen, 2):
            assert distance(seen[one], seen[other]) >= least, (one, other)


def test_pages_charts_and_tensorboard_have_the_same_colours() -> None:
    light, *dark = [
        [tokens[f"run-{number}"] for number in range(1, 9)] for both in blocks().values() for tokens in both
    ]
    assert [tuple(pair) for pair in zip(light, dark[0], strict=True)] == list(COLOURS)
    assert dark[0] == dark[1]
    assert len(COLOURS) == compare_page.COLOURS
