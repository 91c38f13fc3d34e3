"""The filter of the list: every operator, quotes, mistakes, and what would like to be SQL."""

from contextlib import suppress

import pytest
from sqlmodel import Session

from traindeck.db.tables import RunTag, ScalarSummary
from traindeck.errors import InvalidRequest
from traindeck.runs.filters import MAX_TERMS, parse_filter
from traindeck.runs.queries import RunsQuery, list_runs
from traindeck.runs.queue import Capacity
from traindeck.runs.rows import insert_parameters

NOTHING = Capacity(1, 0, 0, 0)


@pytest.fixture
def runs(session: Session, add) -> Session:
    """Three runs: mnist that failed, tour that completed, and a script that is queued."""
    add(name="quiet-otter", status="failed", exit_code=1, notes="too hot", params={})
    add(name="bold-fox", trainer="tour", status="completed", exit_code=0, priority=5)
    add(name="100%_sure", trainer=None, script={"filename": "a.py"})
    insert_parameters(session, 1, {"lr": 0.1, "optimizer": "adam", "amp": True, "nested": {"depth": 3}})
    insert_parameters(session, 2, {"lr": 0.001, "optimizer": "sgd", "amp": False, "label": "7"})
    session.add_all([RunTag(run_id=1, tag="good one"), RunTag(run_id=2, tag="baseline")])
    session.add(ScalarSummary(run_id=1, tag="Loss/train", last=0.5, min=0.1, max=2.0, step=9, count=9))
    session.add(ScalarSummary(run_id=2, tag="Loss/train", last=0.2, min=0.2, max=0.9, step=9, count=9))
    session.flush()
    return session


def found(session: Session, text: str) -> list[int]:
    return [run.id for run in list_runs(session, RunsQuery(text, "created", 500), NOTHING).items]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1, 2, 3]),
        ("otter", [1]),
        ("OTTER", [1]),
        ("hot", [1]),
        ("base", [2]),
        ("tour", [2]),
        ("2", [2]),
        ("o", [1, 2]),
        ("o quiet", [1]),
        ("%", [3]),
        ("_", [3]),
        ('"too hot"', [1]),
        ("id:2", [2]),
        ("id!=2", [1, 3]),
        ("id<2", [1]),
        ("id<=2", [1, 2]),
        ("id>2", [3]),
        ("id>=2", [2, 3]),
        ("name:bold-fox", [2]),
        ("name=bold-fox", [2]),
        ("name:bold", []),
        ("status:failed", [1]),
        ("status!=failed", [2, 3]),
        ("trainer:mnist", [1]),
        ("trainer!=mnist", [2, 3]),
        ("priority>0", [2]),
        ("attempt:0", [1, 2, 3]),
        ("exit_code:0", [2]),
        ("exit_code!=0", [1, 3]),
        ("exit_code>0", [1]),
        ("tag:baseline", [2]),
        ('tag:"good one"', [1]),
        ("tag!=baseline", [1, 3]),
        ("params.lr<0.01", [2]),
        ("params.lr>=1e-3", [1, 2]),
        ("params.lr:0.1", [1]),
        ("params.lr!=0.1", [2]),
        ("params.optimizer:adam", [1]),
        ("params.optimizer!=adam", [2]),
        ("params.amp:true", [1]),
        ("params.amp:false", [2]),
        ("params.label:7", [2]),
        ("params.nested.depth:3", [1]),
        ("params.nothing:1", []),
        ("metrics.Loss/train<0.3", [2]),
        ("metrics.Loss/train.min<0.15", [1]),
        ("metrics.Loss/train.max>1", [1]),
        ("metrics.Loss/train.last:0.5", [1]),
        ("metrics.nothing>0", []),
        ("status:completed params.lr<1 metrics.Loss/train<1 tag:baseline fox", [2]),
        ("id:1e400", []),
        ("id<inf", [1, 2, 3]),
        ("id:nan", []),
    ],
)
def test_a_filter_finds_the_runs_for_which_all_of_it_holds(runs, text, ids):
    assert found(runs, text) == ids


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name:"open', "a quote is not closed"),
        ("nmae:x", "'nmae' is not a field; did you mean 'name'?"),
        ("status:done", "'done' is not a status; statuses are queued,"),
        ("priority:high", "priority is compared with a number, and 'high' is none"),
        ("metrics.Loss/train:low", "'low' is none"),
        ("tag>x", "tag can be compared with : and != only"),
        (" ".join(["a"] * (MAX_TERMS + 1)), f"at most {MAX_TERMS} terms"),
    ],
)
def test_a_filter_that_cannot_be_read_says_what_would_be_right(text, says):
    with pytest.raises(InvalidRequest) as caught:
        parse_filter(text)
    (error,) = caught.value.errors
    assert error.field == "q"
    assert says in error.message


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("metrics.Loss/train<", 19, "metrics.Loss/train< is not finished: it takes a value after <"),
        ("mnist  metrics.Loss/train<= tag:a", 26, "it takes a value after <="),
        ("metrics.conv1/kernel:0>=", 23, "it takes a value after >="),
        ("params.lr>=", 10, "it takes a value after >="),
        ("params.lr!", 10, "it takes != and a value"),
        ("status:", 7, "it takes a value after :"),
        ("status!", 7, "it takes != and a value"),
        ("tag: good", 4, "it takes a value after :"),
        ("é tag:a name!=", 13, "it takes a value after !="),
        ("params.<5", 8, "params. is followed by a name"),
        ("metrics.=", 9, "metrics. is followed by a name"),
        ('a name:"open it', 8, "a quote is not closed"),
        ("a 'b", 3, "a quote is not closed"),
        ("a b\\", 4, "a backslash stands before nothing"),
        ("a nmae:x", 3, "'nmae' is not a field; did you mean 'name'?"),
        ("nmae:", 1, "'nmae' is not a field; did you mean 'name'?"),
        ("tag:a priority:high", 16, "'high' is none"),
        ('metrics."Loss/train":low', 22, "'low' is none"),
        ("metrics.Loss/train>=1e", 21, "'1e' is none"),
        ("metrics.Loss/train<nan", 19, "nan can be compared with : and != only"),
        ("status:done", 8, "'done' is not a status"),
        ("is:divergent", 4, "is can be diverged"),
        ("tag<b", 4, "tag can be compared with : and != only"),
        (" ".join(["a"] * MAX_TERMS + ["b"]), 2 * MAX_TERMS + 1, f"at most {MAX_TERMS} terms"),
    ],
)
def test_a_filter_that_cannot_be_read_says_at_which_character(text, position, says):
    with pytest.raises(InvalidRequest) as caught:
        parse_filter(text)
    (error,) = caught.value.errors
    assert error.position == position
    assert f"at character {position}: " in error.message
    assert says in error.message


@pytest.mark.parametrize("text", ['"a<"', "'status:'", '"x="', "12:30", "<3", "a-b", "train.py", "v1.0", "!", "--lr"])
def test_what_compares_nothing_is_a_word(runs, text):
    assert found(runs, text) == []


@pytest.fixture
def odd(session: Session, add) -> Session:
    """Runs whose scalars and parameters are called like comparisons."""
    for name in ("one", "two", "three"):
        add(name=name)
    for run_id, tag, last in (
        (1, "conv1/kernel:0", 0.5), (2, "conv1/kernel", 7.0), (2, "a<b", 0.1), (3, "a", 3.0), (3, "x.min", 4.0),
        (3, "x", 9.0), (1, "with space", 1.0), (2, "p>=q", 1.0),
    ):  # fmt: skip
        session.add(ScalarSummary(run_id=run_id, tag=tag, last=last, min=0.0, max=last, step=1, count=1))
    insert_parameters(session, 1, {"lr:0": 5, "lr": "x"})
    insert_parameters(session, 2, {"lr": "0:5", "a=b": "c"})
    session.add_all([RunTag(run_id=1, tag="a:b"), RunTag(run_id=2, tag='say "hi"')])
    session.flush()
    return session


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("metrics.conv1/kernel:0>=0", [1]),
        ("metrics.conv1/kernel:0:0.5", [1]),
        ('metrics."conv1/kernel:0">=0', [1]),
        ("metrics.'conv1/kernel:0'>=0", [1]),
        ('"metrics.conv1/kernel:0>=0"', [1]),
        ('"metrics.conv1/kernel:0">=0', [1]),
        ("metrics.conv1/kernel:7", [2]),
        ("metrics.conv1/kernel>0", [2]),
        ("metrics.conv1/kernel:0.max>=0.5", [1]),
        ("metrics.a<b<0.5", [2]),
        ("metrics.a<5", [3]),
        ("metrics.p>=q:1", [2]),
        ("metrics.x.min:4", [3]),
        ("metrics.x.max:9", [3]),
        ('metrics."with space">0', [1]),
        ("metrics.with\\ space>0", [1]),
        ("params.lr:0:5", [1]),
        ('params."lr":0:5', [2]),
        ("params.lr:x", [1]),
        ("params.a=b=c", [2]),
        ("params.a=b!=d", [2]),
        ("tag:a:b", [1]),
        ('tag:"a:b"', [1]),
        ("tag:'say \"hi\"'", [2]),
    ],
)
def test_a_name_may_hold_an_operator_and_the_longest_that_there_is_is_meant(odd, text, ids):
    assert found(odd, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("metrics.loss:nan", [1, 3]),
        ("metrics.loss=NaN", [1, 3]),
        ("metrics.loss.last:nan", [1, 3]),
        ("metrics.loss:inf", [1, 3]),
        ("metrics.loss!=nan", [2]),
        ("metrics.loss.max:nan", [3]),
        ("metrics.loss<inf", [2]),
        ("is:diverged", [1, 3, 4]),
        ("is=diverged", [1, 3, 4]),
        ("is!=diverged", [2, 5]),
        ("is:diverged metrics.loss.max>0", [1]),
    ],
)
def test_a_run_whose_last_value_is_no_number_is_found(session, add, text, ids):
    for _ in range(5):
        add()
    for run_id, tag, last, most in ((1, "loss", None, 2.0), (1, "other", None, 1.0), (2, "loss", 0.5, 2.0),
                                    (3, "loss", None, None), (4, "acc", None, 1.0)):  # fmt: skip
        session.add(ScalarSummary(run_id=run_id, tag=tag, last=last, min=most, max=most, step=1, count=1))
    session.flush()
    page = list_runs(session, RunsQuery(text, "created", 500), NOTHING)
    assert [run.id for run in page.items] == ids
    assert (page.total, page.total_exact) == (len(ids), True)


@pytest.mark.parametrize(
    "text",
    [
        "name:x'; DROP TABLE run; --",
        "\"name:x' OR '1'='1\"",
        '"params.lr\' OR 1=1 --:1"',
        '"metrics.a\' UNION SELECT 1 --:1"',
        '"tag:\') OR 1=1 --"',
        "\"' OR ''='\"",
    ],
)
def test_sql_in_a_filter_is_a_value_like_any_other(runs, text):
    with suppress(InvalidRequest):  # An odd number of quotes is one left open.
        assert found(runs, text) == []
    assert found(runs, "") == [1, 2, 3]


def test_a_filter_made_to_explode_is_read_in_one_pass(runs):
    assert found(runs, "params." + "a." * 490) == []
    assert found(runs, "%" * 1000) == []
