"""Which values of a scalar are better: as set by the user, or derived from its tag.

A tag is read by whole words. It is split at digits, at capitals, and at characters that are neither letters nor digits;
adjacent parts also count as one word. So `val/mAP50`, `valLoss` and `top1_acc` are recognized, and `grad/layer2`,
`heatmap` and `caucasian` are not taken for R², mAP and AUC.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

SEGMENT = re.compile(r"[^\W_]+")
TOKEN = re.compile(r"[0-9]+|[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|[A-Z][^\W\d_A-Z]*")
QUALITY = frozenset({
    "acc", "accuracy", "accuracies", "f1", "auc", "auroc", "auprc", "iou", "miou", "bleu", "rouge", "meteor",
    "top1", "top5", "r2", "score", "precision", "recall", "dice", "psnr", "ssim", "reward",
})  # fmt: skip
LOSS = frozenset({
    "loss", "losses", "perplexity", "ppl", "error", "errors", "rmse", "mae", "mse", "mape", "nll", "wer", "cer", "fid",
})  # fmt: skip
HELD_OUT = frozenset({"val", "valid", "validation", "test", "eval", "dev"})
TRAINED = frozenset({"train", "training"})
PREFIXES = (*sorted(HELD_OUT | TRAINED), "avg", "mean")
"""Prefixes that are written together with the name of a loss or a quality: `valloss`, `trainacc`."""
NUMBERED = re.compile(r"(?<![A-Za-z0-9])(top|f|r)[-_^ ](?=[0-9])", re.IGNORECASE)
"""Names with a number: `top-1`, `F_1`, `R^2`."""
NO_RESULT = frozenset({
    "grad", "grads", "gradient", "gradients", "norm", "weight", "weights", "bias", "scale", "scaler", "coefficient",
})  # fmt: skip
"""A tag with one of these words is not about a result: `grad/loss_head`, `loss_scale`."""
MAPS_OF = HELD_OUT | TRAINED | {"m", "box", "bbox", "mask", "segm", "coco", "best", "mean"}
"""Words before a `map` that is a mean average precision; after other words it is a map: `feature_map`."""


GATHERED = re.compile(r"(?:by|per).epoch", re.IGNORECASE)
"""Matches scalars that repeat others once for each epoch."""
LONGEST = 4
"""The most tokens that form one word: m, Io, U, 50."""


class Better(StrEnum):
    """Which values of a scalar are better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


def direction(tag: str, said: Mapping[str, Better]) -> Better:
    """Return which values of the scalar `tag` are better, as `said` by the user, or by its name."""
    return said.get(tag) or guess(tag)


@lru_cache(maxsize=50_000)
def guess(tag: str) -> Better:
    """Return which values of a scalar are better, as derived from its tag."""
    words = words_of(tag)
    if words & NO_RESULT:
        return Better.NEITHER
    quality = _any(words, QUALITY) or _names_precision(tag)
    loss = _any(words, LOSS)
    if quality == loss:
        return Better.NEITHER
    return Better.HIGHER if quality else Better.LOWER


def best(better: Better, values: Sequence[float | None]) -> float | None:
    """Return the best of the values of several runs; None without a direction, or with fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2 or better is Better.NEITHER:
        return None
    return max(known) if better is Better.HIGHER else min(known)


def worth(tag: str, said: Mapping[str, Better]) -> tuple[int, bool, str]:
    """Return a key that sorts scalars by how well they show the quality of a run, the best first."""
    better = said.get(tag)
    rank = _rank(tag, guess(tag)) if better is None else _rank(tag, better)
    return rank, bool(GATHERED.search(tag)), tag


@lru_cache(maxsize=50_000)
def _rank(tag: str, better: Better) -> int:
    """Return 0 for a quality on held-out data, 1 for a loss there, 2 and 3 for a loss and a quality, 4 for the rest."""
    if better is Better.NEITHER:
        return 4
    if words_of(tag).isdisjoint(HELD_OUT):
        return 2 if better is Better.LOWER else 3
    return 0 if better is Better.HIGHER else 1


@lru_cache(maxsize=10_000)
def words_of(tag: str) -> frozenset[str]:
    """Return the words of a tag in lower case: `valLoss2` has val, loss, 2, valloss, loss2 and valloss2."""
    segments = SEGMENT.findall(NUMBERED.sub(r"\1", tag))
    return frozenset(word for segment in segments for word in _joined(_tokens(segment)))


def _any(words: frozenset[str], known: frozenset[str]) -> bool:
    together = {word.removeprefix(prefix) for word in words for prefix in PREFIXES if word.startswith(prefix)}
    return bool((words | together) & known)


def _tokens(segment: str) -> list[str]:
    return [token.lower() for token in TOKEN.findall(segment)]


def _joined(tokens: Sequence[str]) -> set[str]:
    ends = range(1, LONGEST + 1)
    return {"".join(tokens[at : at + end]) for at in range(len(tokens)) for end in ends}


def _names_precision(tag: str) -> bool:
    """Return whether `map` in a part of the tag is a mean average precision, and not a map of something."""
    for part in re.split(r"[/.]", tag):
        segments = [_tokens(segment) for segment in SEGMENT.findall(part)]
        for at, tokens in enumerate(segments):
            before = {token for other in segments[:at] for token in other}
            places = [place for place in range(len(tokens)) if _starts_with_map(tokens[place:])]
            if places and before | set(tokens[: places[0]]) <= MAPS_OF:
                return True
    return False


def _starts_with_map(tokens: Sequence[str]) -> bool:
    return list(tokens[:1]) == ["map"] or list(tokens[:2]) == ["m", "ap"]
