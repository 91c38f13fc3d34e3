"""The filter of the list: every operator, quotes, mistakes, and what would like to be SQL."""

from contextlib import suppress

import pytest
from sqlmodel import Session, select

from traindeck.db.tables import Run, RunTag, ScalarSummary
from traindeck.errors import InvalidRequest
from traindeck.runs.filters import MAX_TERMS, parse_filter
from traindeck.runs.parameters import parameter_rows


@pytest.fixture
def runs(session: Session, add) -> Session:
    """Three runs: mnist that failed, tour that completed, and a script that is queued."""
    add(name="quiet-otter", status="failed", exit_code=1, notes="too hot", params={})
    add(name="bold-fox", trainer="tour", status="completed", exit_code=0, priority=5)
    add(name="100%_sure", trainer=None, script={"filename": "a.py"})
    session.add_all(parameter_rows(1, {"lr": 0.1, "optimizer": "adam", "amp": True, "nested": {"depth": 3}}))
    session.add_all(parameter_rows(2, {"lr": 0.001, "optimizer": "sgd", "amp": False, "label": "7"}))
    session.add_all([RunTag(run_id=1, tag="good one"), RunTag(run_id=2, tag="baseline")])
    session.add(ScalarSummary(run_id=1, tag="Loss/train", last=0.5, min=0.1, max=2.0, step=9, count=9))
    session.add(ScalarSummary(run_id=2, tag="Loss/train", last=0.2, min=0.2, max=0.9, step=9, count=9))
    session.flush()
    return session


def found(session: Session, text: str) -> list[int]:
    return list(session.exec(select(Run.id).where(*parse_filter(text)).order_by(Run.id)))


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
