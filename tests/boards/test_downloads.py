"""No cell of TensorBoard's table of hyperparameters is a formula for a spreadsheet (HOSTILE 26)."""

import csv
import io

import pytest
from tensorboard.plugins.hparams import api_pb2, download_data

from traindeck.boards.board import SafeDownload, make_downloads_safe


def downloaded(name: str, value: object, kind: str = "csv") -> tuple[object, str]:
    """The table of one session group with one hyperparameter and one metric."""
    metric = api_pb2.MetricName(group="", tag=f"{name}x")
    experiment = api_pb2.Experiment(
        hparam_infos=[api_pb2.HParamInfo(name=name)], metric_infos=[api_pb2.MetricInfo(name=metric)]
    )
    group = api_pb2.SessionGroup(metric_values=[api_pb2.MetricValue(name=metric, value=-0.5)])
    if isinstance(value, str):
        group.hparams[name].string_value = value
    else:
        group.hparams[name].number_value = value
    groups = api_pb2.ListSessionGroupsResponse(session_groups=[group])
    return SafeDownload(None, experiment, groups, kind, [True, True]).run()


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x","y")', "=a\nb", "-", "+"]
)
def test_a_formula_is_shown_as_text(text):
    body, media_type = downloaded(text, text)
    (head, row) = csv.reader(io.StringIO(str(body), newline=""))

    assert media_type == "text/csv"
    assert head == [f"'{text}", f"'{text}x"]
    assert row == [f"'{text}", "-0.5"]


@pytest.mark.parametrize("value", ["adam", "a=b", "a,b", 'a"b', "", "-0.5", "+1e-4", -3.5, float("-inf")])
def test_what_is_no_formula_is_as_tensorboard_has_it(value):
    body, _ = downloaded("lr", value)
    (head, row) = csv.reader(io.StringIO(str(body), newline=""))

    assert head == ["lr", "lrx"]
    assert row == [str(value), "-0.5"]


def test_json_is_as_tensorboard_has_it():
    assert downloaded("lr", "=1", "json") == ({"header": ["lr", "lrx"], "rows": [["=1", -0.5]]}, "application/json")


def test_the_plugin_answers_so():
    make_downloads_safe()

    assert download_data.Handler is SafeDownload
