"""Several runs in one parameter, such as `runs=41,42`."""

import re

from traindeck.counting import counted
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.errors import FieldError, InvalidRequest


def run_numbers(text: str, fewest: int, most: int, rule: str) -> list[int]:
    """The runs that a list such as 41,42 names, each once, in its order.

    Raises:
        InvalidRequest: it is no such list, or there are not `fewest` to `most`, which `rule` says in words.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(re.fullmatch(r"[0-9]{1,19}", part) and 1 <= int(part) <= LARGEST_INTEGER for part in parts):
        raise InvalidRequest([FieldError("runs", f"runs is {text!r}, but must be numbers of runs such as 41,42")])
    numbers = list(dict.fromkeys(int(part) for part in parts))
    if not fewest <= len(numbers) <= most:
        given = counted(len(numbers), "run")
        raise InvalidRequest([FieldError("runs", f"runs names {given}, but {rule}")])
    return numbers
