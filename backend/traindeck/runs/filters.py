"""The filter of the list of runs: words, and comparisons of fields, all of which must hold.

mnist status:running params.lr<=0.001 metrics.Accuracy/validation>0.98 tag:baseline is:diverged

Names of parameters and tags of scalars may hold what is an operator elsewhere (`metrics.conv1/kernel:0>=0`): they may
be quoted, and else the longest one that some run has is meant.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session, col

from traindeck.db.tables import LARGEST_INTEGER, Parameter, Run, RunTag, ScalarSummary, StatusCount
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.conditions import RUN_ID, ColumnComparison, Condition, Either, Indexed, Same, Without
from traindeck.runs.status import Status
from traindeck.runs.words import Word
from traindeck.wording import nearest

COLUMNS = {
    "id": col(Run.id),
    "name": col(Run.name),
    "status": col(Run.status),
    "trainer": col(Run.trainer),
    "priority": col(Run.priority),
    "attempt": col(Run.attempt),
    "exit_code": col(Run.exit_code),
}
NUMERIC = frozenset({"id", "priority", "attempt", "exit_code"})
FIELDS = (*COLUMNS, "tag", "is", "params.NAME", "metrics.TAG")
PARAMS, METRICS = "params.", "metrics."
DIVERGED = "diverged"
MAX_TERMS = 20
OPERATORS = ("!=", "<=", ">=", ":", "=", "<", ">")
EQUAL = (":", "=")
SPACES, QUOTES, ESCAPE = " \t\r\n", "'\"", "\\"
SUFFIXES = {"min": col(ScalarSummary.min), "max": col(ScalarSummary.max), "last": col(ScalarSummary.last)}


@dataclass(slots=True)
class Token:
    """A word of the filter without its quotes: where each character stands, and whether it is quoted."""

    start: int
    text: str = ""
    places: list[int] = field(default_factory=list)
    quoted: list[bool] = field(default_factory=list)
    ends_in_quotes: bool = False

    def add(self, character: str, place: int, *, quoted: bool) -> None:
        """Append a character."""
        self.text += character
        self.places.append(place)
        self.quoted.append(quoted)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison; `at` is where in the filter the field, the operator and the value begin."""

    field: str
    op: str
    value: str
    at: tuple[int, int, int]
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """What a filter says: words, and comparisons. One that can be read in several ways has all of them."""

    words: tuple[str, ...] = ()
    terms: tuple[tuple[Term, ...], ...] = ()

    def conditions(self, session: Session) -> list[Condition]:
        """Return the conditions, all of which a matching run fulfils.

        Raises:
            InvalidRequest: of the ways to read a comparison, the one whose name some run has is wrong.
        """
        words = [_word(word) for word in self.words]
        return [*(_condition(_meant(session, ways), session) for ways in self.terms), *words]


def parse_filter(text: str) -> Filter:
    """Read a filter.

    Raises:
        InvalidRequest: a quote is not closed, or a comparison is not finished or names what is not a field or not a
            number. The message says at which character.
    """
    words: list[str] = []
    terms: list[tuple[Term, ...]] = []
    for number, token in enumerate(_tokens(text)):
        if number == MAX_TERMS:
            raise _wrong(f"at most {MAX_TERMS} terms", token.start)
        ways = tuple(_ways(token))
        if ways:
            terms.append(_sensible(ways))
        elif token.text:
            words.append(token.text)
    return Filter(tuple(dict.fromkeys(words)), tuple(terms))


def split_metric(name: str) -> tuple[str, Any]:
    """Return the tag and the column of its summary: "Loss/train.min" is the minimum, without a suffix the last."""
    tag, _, suffix = name.rpartition(".")
    if tag and suffix in SUFFIXES:
        return tag, SUFFIXES[suffix]
    return name, col(ScalarSummary.last)


def _tokens(text: str) -> Iterator[Token]:
    """Split the text into words as a shell does."""
    place = 0
    while place < len(text):
        if text[place] in SPACES:
            place += 1
            continue
        token = Token(place)
        while place < len(text) and text[place] not in SPACES:
            place = _take(token, text, place)
        yield token


def _take(token: Token, text: str, place: int) -> int:
    """Append the characters at `place` to a word (plain, escaped or quoted), and return the place after them."""
    character = text[place]
    if character in QUOTES:
        return _take_quoted(token, text, place)
    token.ends_in_quotes = False
    if character != ESCAPE:
        token.add(character, place, quoted=False)
        return place + 1
    if place + 1 == len(text):
        raise _wrong("a backslash stands before nothing: write two for one", place)
    token.add(text[place + 1], place + 1, quoted=True)
    return place + 2


def _take_quoted(token: Token, text: str, opened: int) -> int:
    quote, place = text[opened], opened + 1
    while place < len(text) and text[place] != quote:
        # In double quotes a backslash escapes these two, and stands for itself before anything else.
        if quote == '"' and text[place] == ESCAPE and text[place + 1 : place + 2] in (quote, ESCAPE):
            place += 1
        token.add(text[place], place, quoted=True)
        place += 1
    if place >= len(text):
        raise _wrong("a quote is not closed", opened)
    token.ends_in_quotes = True
    return place + 1


def _ways(token: Token) -> Iterator[Term]:
    """Yield each way to read a word as a comparison, the shortest name first; none if it has no field and operator."""
    text = token.text
    head = len(text) - len(text.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
    dotted = text[head : head + 1] == "."
    if not head or (not dotted and not text.startswith(OPERATORS, head)):
        if text[head:] == "!" and text[:head] in FIELDS:
            yield _term(token, head, "!")
        return
    named = text.startswith((PARAMS, METRICS))
    if named and text.startswith(OPERATORS, head + 1) and not token.quoted[head + 1]:
        raise _wrong(f"{text[: head + 1]} is followed by a name", token.places[head + 1])
    places = _operators(token, head + 2 if dotted else head)
    for place, op in places if named else places[:1]:
        yield _term(token, place, op)
    if named and not places and text.endswith("!") and len(text) > head + 2:
        yield _term(token, len(text) - 1, "!")


def _operators(token: Token, start: int) -> list[tuple[int, str]]:
    """Yield the operators in a word from `start` on: those outside quotes, or else those inside."""
    found = []
    place = start
    while place < len(token.text):
        op = next((op for op in OPERATORS if token.text.startswith(op, place)), "")
        if op:
            found.append((place, op))
        place += len(op) or 1
    outside = [one for one in found if not token.quoted[one[0]]]
    if outside and token.quoted[outside[0][0] - 1]:
        return outside[:1]  # A name in quotes ends with them.
    # In quotes an operator at the very end compares with nothing: these are words that end in one.
    return outside or [(place, op) for place, op in found if place + len(op) < len(token.text)]


def _term(token: Token, place: int, op: str) -> Term:
    beyond = place + len(op)
    value_at = token.places[beyond] if beyond < len(token.text) else token.places[-1] + 1
    finished = op in OPERATORS and (beyond < len(token.text) or token.ends_in_quotes)
    at = (token.start, token.places[place], value_at)
    return Term(token.text[:place], op, token.text[beyond:], at, finished)


def _sensible(ways: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return all ways to read a comparison. Raises InvalidRequest if none is valid for any run."""
    problems = []
    for way in ways:
        try:
            _check(way)
        except InvalidRequest as problem:
            problems.append(problem)
    if len(problems) == len(ways):
        # Somebody who is still typing has come to the last operator.
        raise problems[0 if ways[-1].finished else -1]
    return ways


def _check(term: Term) -> None:
    """Raise what is wrong with a comparison."""
    named = term.field.startswith((PARAMS, METRICS))
    if not named and term.field not in FIELDS:
        near = nearest(term.field, FIELDS)
        hint = f"did you mean {near!r}? " if near else ""
        raise _wrong(f"{term.field!r} is not a field; {hint}fields are {', '.join(FIELDS)}", term.at[0])
    if not term.finished:
        rest = "!= and a value" if term.op == "!" else f"a value after {term.op}"
        raise _wrong(f"{term.field}{term.op} is not finished: it takes {rest}", term.at[1])
    if term.field in ("tag", "is") and term.op not in (*EQUAL, "!="):
        raise _wrong(f"{term.field} can be compared with : and != only", term.at[1])
    if term.field == "is" and term.value != DIVERGED:
        raise _wrong(f"is can be {DIVERGED} (a last value is NaN or infinite), and not {term.value!r}", term.at[2])
    if term.field == "status" and term.value not in set(Status):
        raise _wrong(f"{term.value!r} is not a status; statuses are {', '.join(Status)}", term.at[2])
    if term.field in NUMERIC or term.field.startswith(METRICS):
        number = _number(term)
        if math.isnan(number) and term.op not in (*EQUAL, "!="):
            raise _wrong("nan can be compared with : and != only", term.at[1])


def _meant(session: Session, ways: tuple[Term, ...]) -> Term:
    """Return the comparison with the longest name that some run has, or else the first one."""
    if len(ways) > 1:
        for way in reversed(ways):
            if _is_known(session, way.field):
                _check(way)
                return way
    for way in ways[:-1]:
        try:
            _check(way)
        except InvalidRequest:
            continue
        return way
    return ways[-1]


def _is_known(session: Session, field: str) -> bool:
    if field.startswith(PARAMS):
        return _has_rows(session, col(Parameter.name) == field.removeprefix(PARAMS))
    name = field.removeprefix(METRICS)
    return any(_has_rows(session, col(ScalarSummary.tag) == tag) for tag in {name, split_metric(name)[0]})


def _has_rows(session: Session, condition: Any) -> bool:
    return bool(session.execute(select(exists().where(condition))).scalar_one())


def _condition(term: Term, session: Session) -> Condition:
    if term.field == "tag":
        tagged = Indexed(col(RunTag.run_id), (col(RunTag.tag) == term.value,))
        return Without(tagged) if term.op == "!=" else tagged
    if term.field == "is":
        diverged = Indexed(col(ScalarSummary.run_id), (col(ScalarSummary.last).is_(None),), distinct=True)
        return Without(diverged) if term.op == "!=" else diverged
    if term.field.startswith(PARAMS):
        return _parameter(term)
    if term.field.startswith(METRICS):
        return _metric(term, session)
    return _column(term)


def _word(word: str) -> Condition:
    if word.isascii() and word.isdigit() and len(word) < len(str(LARGEST_INTEGER)):
        return Either((Word(word), _numbered("=", int(word))))
    return Word(word)


def _column(term: Term) -> Condition:
    value = _number(term) if term.field in NUMERIC else term.value
    if term.op == "!=":
        # Not a comparison by !=: a run of a script has no trainer, so its trainer is not mnist either.
        return Without(_column(replace(term, op="=")))
    op = "=" if term.op in EQUAL else term.op
    if term.field == "id":
        return _numbered(op, value)
    comparison = ColumnComparison(COLUMNS[term.field], op, value)
    if op != "=":
        return Indexed(col(Run.id), (), (comparison,))
    counted = select(col(StatusCount.runs)).where(col(StatusCount.status) == value).scalar_subquery()
    return Indexed(col(Run.id), (comparison.of(comparison.column),), count=counted if term.field == "status" else None)


def _numbered(op: str, value: Any) -> Indexed:
    return Indexed(RUN_ID, (ColumnComparison(RUN_ID, op, value).of(RUN_ID),))


def _parameter(term: Term) -> Condition:
    run_id, named = col(Parameter.run_id), (col(Parameter.name) == term.field.removeprefix(PARAMS),)
    op = "=" if term.op in EQUAL else term.op
    text = ColumnComparison(col(Parameter.text), op, term.value)
    try:
        number = ColumnComparison(col(Parameter.number), op, float(term.value))
    except ValueError:
        return Indexed(run_id, named, (text,))
    return Same(run_id, named, number=number, text=text) if op == "=" else Indexed(run_id, named, (number,))


def _metric(term: Term, session: Session) -> Condition:
    name = term.field.removeprefix(METRICS)
    tag, column = split_metric(name)
    if tag != name and _has_rows(session, col(ScalarSummary.tag) == name):
        tag, column = name, col(ScalarSummary.last)
    value = _number(term)
    op = "=" if term.op in EQUAL else term.op
    if op in ("=", "!=") and not math.isfinite(value):
        comparison = ColumnComparison(column, "is" if op == "=" else "is not")
    else:
        comparison = ColumnComparison(column, op, value)
    return Indexed(col(ScalarSummary.run_id), (col(ScalarSummary.tag) == tag,), (comparison,))


def status_condition(status: Status) -> Condition:
    """Return the condition for a status."""
    return _column(Term("status", "=", status.value, (0, 0, 0)))


def _number(term: Term) -> float:
    try:
        return float(term.value)
    except ValueError as error:
        raise _wrong(f"{term.field} is compared with a number, and {term.value!r} is none", term.at[2]) from error


def _wrong(message: str, place: int) -> InvalidRequest:
    return InvalidRequest(
        [FieldError("q", f"the filter q cannot be read at character {place + 1}: {message}", place + 1)]
    )
