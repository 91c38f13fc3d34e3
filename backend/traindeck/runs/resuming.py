"""How a program is told by an option of its own what to go on from."""

from collections.abc import Sequence


def resumed(args: Sequence[str], option: str | None, checkpoint: str | None) -> list[str]:
    """`args` with the checkpoint behind `option`; as they are where one of both is missing.

    A value that the option has already is replaced. An option that ends in "=" takes its value in one word
    ("ckpt="), and so does one that was given so before ("--resume=last.pt").
    """
    if not option or not checkpoint:
        return list(args)
    joined = option if option.endswith("=") else f"{option}="
    for at, word in enumerate(args):
        if word.startswith(joined):
            return [*args[:at], joined + checkpoint, *args[at + 1 :]]
        if word == option:
            return [*args[: at + 1], checkpoint, *args[at + 1 + _has_value(args, at) :]]
    added = [joined + checkpoint] if option.endswith("=") else [option, checkpoint]
    return [*args, *added]


def _has_value(args: Sequence[str], at: int) -> int:
    """1 where the word behind the option is its value, 0 where it is the next option or there is none."""
    return int(at + 1 < len(args) and not args[at + 1].startswith("-"))
