"""The launch form."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from pages.markup import Element, read
from pages.sample_runs import HOSTILE, deck_state
from traindeck.pages.launch import BrokenTrainer, TrainerView, render_launch


class Params(BaseModel):
    epochs: int = Field(
        3, ge=1, le=1000, title="Epochs", description="Rounds.", json_schema_extra={"group": "Training"}
    )
    lr: float = Field(1e-5, gt=0, lt=1, json_schema_extra={"group": "Optimizer"})
    amp: bool = Field(True, json_schema_extra={"group": "Training", "advanced": True})
    device: Literal["auto", "cpu"] = "auto"
    decay: float | None = Field(None, ge=0)
    name: str = "x"
    layers: list[int] = [32, 64]
    folder: str


def render(values: dict[str, Any] | None = None, **changes: Any) -> Element:
    trainer = TrainerView("net", "A net", "Trains a net.", Params.model_json_schema())
    other = TrainerView("other one", "Another", "", {"properties": {}})
    given: dict[str, Any] = {"trainers": [trainer, other], "broken": [], "selected": None, "deck": deck_state()}
    return read(render_launch(values=values or {}, **{**given, **changes}))


def field(page: Element, name: str) -> Element:
    return page.one("div", data_param=name)


def test_an_integer_has_its_default_help_and_bounds() -> None:
    epochs = field(render(), "epochs")
    assert epochs.one("input").attributes["value"] == "3"
    assert epochs.attributes["data-least"] == "1"
    assert epochs.attributes["data-most"] == "1000"
    assert epochs.one("label").words() == "Epochs"
    assert "Rounds. 1 to 1,000." in epochs.words()


def test_a_number_is_written_as_people_do_and_knows_open_bounds() -> None:
    lr = field(render(), "lr")
    assert lr.one("input").attributes["value"] == "1e-5"
    assert {"data-open-least", "data-open-most"} <= set(lr.attributes)
    assert "Above 0, below 1." in lr.words()
    assert "At least 0." in field(render(), "decay").words()


def test_a_boolean_is_a_checkbox_that_is_on_by_default_where_the_parameter_is() -> None:
    box = field(render(), "amp").one("input", type="checkbox")
    assert "checked" in box.attributes
    assert "checked" not in field(render({"params": {"amp": False}}), "amp").one("input").attributes


def test_a_choice_lists_its_values_as_json() -> None:
    options = field(render(), "device").all("option")
    assert [option.attributes["value"] for option in options] == ['"auto"', '"cpu"']
    assert "selected" in options[0].attributes


def test_a_parameter_that_may_be_null_may_be_left_empty() -> None:
    decay = field(render(), "decay")
    assert "data-nullable" in decay.attributes
    assert decay.attributes["data-default-json"] == "null"
    assert decay.one("input").attributes["placeholder"] == "none"


def test_what_has_no_input_of_its_own_is_typed_as_json() -> None:
    assert field(render(), "layers").one("textarea").words() == "[32, 64]"


def test_a_required_parameter_says_so_and_has_no_default() -> None:
    folder = field(render(), "folder")
    assert "required" in folder.one("label").words()
    assert folder.attributes["data-default-json"] == ""


def test_groups_keep_their_order_and_fold_away_what_is_advanced() -> None:
    groups = render().one("section", id="panel-trainer").all("fieldset")
    assert [group.one("legend").words() for group in groups] == ["Training", "Optimizer", "Parameters"]
    assert groups[0].one("details").one("div", data_param="amp")
    assert groups[0].one("summary").words() == "1 more setting"


def test_every_label_names_an_input_that_exists() -> None:
    page = render()
    ids = {each.attributes.get("id") for tag in ("input", "select", "textarea") for each in page.all(tag)}
    assert {label.attributes["for"] for label in page.all("label") if "for" in label.attributes} <= ids


def test_values_of_an_earlier_run_fill_the_form() -> None:
    values = {"trainer": "net", "params": {"epochs": 7}, "name": "again", "tags": ["a", "b"], "resources": {"cpus": 2}}
    page = render(values)
    assert field(page, "epochs").one("input").attributes["value"] == "7"
    assert field(page, "epochs").attributes["data-default"] == "3"
    assert page.one("input", id="common-tags").attributes["value"] == "a, b"
    assert page.one("input", id="common-resources-cpus").attributes["value"] == "2"


def test_values_of_another_trainer_do_not_fill_this_ones_form() -> None:
    page = render({"trainer": "gone", "params": {"epochs": 7}})
    assert field(page, "epochs").one("input").attributes["value"] == "3"


def test_a_script_of_an_earlier_run_opens_the_script_form() -> None:
    page = render({"script": {"path": "/x/train.py", "args": ["--name", "a b"]}})
    assert page.one("form", id="launch").attributes["data-mode"] == "script"
    assert page.one("input", id="script-args").attributes["value"] == "--name 'a b'"


def test_the_first_line_of_a_pasted_script_may_be_empty() -> None:
    page = render({"script": {"source": "\nprint(1)", "filename": "t.py"}})
    # A browser drops one newline after <textarea>: the template's own, not the script's.
    assert page.one("textarea", id="script-source").text == "\n\nprint(1)"


def test_trainers_are_picked_by_address() -> None:
    cards = render(selected="other one").one("nav", class_="cards").all("a")
    assert [card.attributes["href"] for card in cards] == ["/launch?trainer=net", "/launch?trainer=other+one"]
    assert ["aria-current" in card.attributes for card in cards] == [False, True]


def test_a_broken_trainer_is_reported_and_not_fatal() -> None:
    page = render(broken=[BrokenTrainer("bad", "ImportError: no module named x")])
    assert "The trainer bad cannot be loaded" in page.words()
    assert field(page, "epochs")


def test_without_any_trainer_a_script_can_be_launched() -> None:
    page = render(trainers=[])
    assert page.one("form", id="launch").attributes["data-mode"] == "script"


def test_hostile_text_is_shown_as_text() -> None:
    schema = {"properties": {HOSTILE: {"type": "string", "title": HOSTILE, "description": HOSTILE, "default": HOSTILE}}}
    page = render(trainers=[TrainerView(HOSTILE, HOSTILE, HOSTILE, schema)])
    assert field(page, HOSTILE).one("input").attributes["value"] == HOSTILE
    assert field(page, HOSTILE).one("label").words() == HOSTILE
    assert page.one("main").all("img") == []


def test_hidden_characters_of_a_value_stay_in_its_input() -> None:
    assert field(render({"params": {"name": "a\u202eb"}}), "name").one("input").attributes["value"] == "a\u202eb"
