"""The launch form."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from pages.markup import Element, read
from pages.sample_runs import HOSTILE, deck_state
from traindeck.pages.launch_page import BrokenTrainerView, Repeated, TrainerView, render_launch, render_options


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
    page = render(broken=[BrokenTrainerView("bad", "ImportError: no module named x")])
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


OPTIONS: dict[str, Any] = {
    "required": ["data"],
    "x-exclusive": [{"names": ["cosine", "step"], "required": False}],
    "properties": {
        "lr": {"type": "number", "default": 0.1, "group": "Rates", "x-flag": {"flags": ["--lr"]}},
        "sizes": {
            "anyOf": [{"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}, {"type": "null"}],
            "default": None,
            "description": "units of each layer",
            "x-flag": {"flags": ["--sizes"], "nargs": 2},
        },
        "words": {"type": "array", "items": {"type": "string"}, "default": ["a b", "c"], "x-flag": {"flags": ["--w"]}},
        "cosine": {"type": "boolean", "default": False, "x-flag": {"flags": ["--cosine"]}},
        "step": {"type": "integer", "default": 1, "x-flag": {"flags": ["--step"]}},
        "amp": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None, "x-flag": {"flags": ["--amp"]}},
        "arch": {"enum": ["a", "b"], "default": "elsewhere", "x-flag": {"flags": ["--arch"]}},
        "data": {"type": "string", "x-flag": {"flags": [], "required": True}},
    },
}


def options(values: dict[str, Any] | None = None, *, repeated: bool = False) -> Element:
    return read(render_options(OPTIONS, values or {}, repeated=repeated))


def test_the_options_of_a_script_have_ids_of_their_own_beside_a_trainers() -> None:
    assert field(options(), "lr").one("input").attributes["id"] == "option-lr"
    assert {"about-option-lr", "error-option-lr"} == {each.attributes["id"] for each in field(options(), "lr").all("p")}


def test_a_list_is_written_as_a_shell_would_split_it() -> None:
    assert field(options(), "words").one("input").attributes["value"] == "'a b' c"
    sizes = field(options(), "sizes")
    assert (sizes.attributes["data-least"], sizes.attributes["data-most"]) == ("2", "2")
    assert sizes.words() == "sizes units of each layer. 2 values."


def test_what_is_required_comes_first_in_its_group() -> None:
    groups = {group.one("legend").words(): group for group in options().all("fieldset")}
    assert list(groups) == ["Rates", "Options"]
    assert groups["Options"].all("div", class_="field")[0].attributes["data-param"] == "data"


def test_options_that_exclude_each_other_say_so() -> None:
    assert "Not together with step." in field(options(), "cosine").words()
    assert "exclusive" in "".join(field(options(), "step").attributes)


def test_an_option_that_may_be_on_off_or_neither_is_a_choice_of_three() -> None:
    choices = field(options(), "amp").all("option")
    assert [choice.attributes["value"] for choice in choices] == ["null", "true", "false"]


def test_a_default_that_is_none_of_the_choices_can_be_left_as_it_is() -> None:
    choices = field(options(), "arch").all("option")
    assert [choice.attributes["value"] for choice in choices if "selected" in choice.attributes] == ['"elsewhere"']


def test_the_form_of_a_repeat_takes_the_runs_values_for_what_to_leave_alone() -> None:
    lr = field(options({"lr": 0.5}, repeated=True), "lr")
    assert lr.attributes["data-default-json"] == "0.5"
    assert lr.one("button").attributes["title"] == "Back to 0.5"
    assert field(options({"data": "/d"}, repeated=True), "data").attributes["data-default-json"] == '"/d"'


def test_a_repeat_offers_the_code_that_the_run_had_and_the_code_as_it_is_now() -> None:
    repeated = Repeated(42, "first", "train.py", "/home/me/train.py", "The file as it is now")
    page = render({"script": {"path": "/home/me/train.py"}}, repeated=repeated)
    assert page.one("h1").words() == "Edit and run #42"
    chosen = [radio.attributes["value"] for radio in page.all("input", name="code") if "checked" in radio.attributes]
    assert chosen == ["kept"]
    assert "hidden" in page.one("div", id="anew").attributes
    assert page.one("form", id="launch").attributes["data-repeats"] == "42"


def test_the_form_of_another_trainer_repeats_nothing() -> None:
    page = render({"trainer": "gone", "params": {}}, repeated=Repeated(42, "first", "gone", "", ""))
    assert "data-repeats" not in page.one("form", id="launch").attributes


def test_each_way_to_name_a_script_is_filled_in_from_one() -> None:
    page = render({"script": {"command": ["bash", "a b.sh"], "cwd": "/x", "resume_arg": "--resume"}})
    assert [radio.attributes["value"] for radio in page.all("input", name="from") if "checked" in radio.attributes] == [
        "command"
    ]
    assert page.one("input", id="script-command").attributes["value"] == "bash 'a b.sh'"
    assert page.one("input", id="script-command-cwd").attributes["value"] == "/x"
    assert "open" in page.one("details", id="script-more").attributes
