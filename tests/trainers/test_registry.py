import json
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from support.waiting import wait_for
from traindeck.trainers import packaged
from traindeck.trainers.registry import InvalidParams, UnknownTrainer, load_one, load_trainers
from trainers.packages import TRAINER, Site

SERVER = """
import json, sys
HEAVY = {"matplotlib", "numpy", "pandas", "tensorboard", "torch", "torchvision"}
from traindeck.trainers.registry import load_trainers
registry = load_trainers()
shown = {name: [trainer.title, trainer.validate({})] for name, trainer in registry.trainers.items()}
print(json.dumps({"shown": shown, "heavy": sorted(HEAVY & set(sys.modules))}))
"""


@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    site = Site(tmp_path / "site", monkeypatch)
    site.install_traindeck()
    yield site
    site.close()


def in_a_server() -> dict:
    done = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def broken_ones() -> dict[str, tuple[str, str]]:
    return {broken.name: (broken.package, broken.reason) for broken in load_trainers().broken}


def test_the_built_in_trainers_are_found(site):
    registry = load_trainers()
    assert {"mnist", "tour"} <= set(registry.trainers)
    assert not registry.broken
    assert registry.get("mnist").validate({"epochs": 2})["epochs"] == 2


def test_loading_all_trainers_imports_nothing_heavy(site):
    assert in_a_server()["heavy"] == []


def test_a_package_can_bring_its_own_trainer(site):
    site.install("thirdparty", {"mine": "thirdparty:trainer"}, TRAINER.format(name="mine", title="Mine"))
    mine = load_trainers().get("mine")
    assert (mine.title, mine.validate({})) == ("Mine", {"rounds": 3})
    assert load_one("mine").name == "mine"


def test_a_trainer_whose_import_fails_is_reported_and_harms_no_other(site):
    site.install("crashing", {"crash": "crashing:trainer"}, "raise RuntimeError('no licence')")
    site.install("exiting", {"exit": "exiting:trainer"}, "raise SystemExit(3)")
    site.install("missing", {"gone": "nowhere_at_all:trainer"})
    assert broken_ones() == {
        "crash": ("crashing", "RuntimeError: no licence"),
        "exit": ("exiting", "SystemExit: 3"),
        "gone": ("missing", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
    }
    assert "mnist" in load_trainers().trainers


def test_an_entry_point_that_leads_to_something_else_is_reported(site):
    site.install("wrongtype", {"number": "wrongtype:trainer"}, "trainer = 42")
    site.install("othername", {"alias": "othername:trainer"}, TRAINER.format(name="real", title="Real"))
    found = broken_ones()
    assert found["number"][1] == "NotATrainer: wrongtype:trainer is a int, not a Trainer"
    assert "calls itself 'real'" in found["alias"][1]


@pytest.mark.parametrize(
    ("requires", "lacking"),
    [
        (("not-there>=2; extra == 'more'",), "not-there>=2"),
        (("pytest<2; extra == 'more'", "not-there; extra == 'more'"), "pytest<2 and not-there"),
    ],
)
def test_a_trainer_whose_extra_is_not_installed_says_what_to_install(site, requires, lacking):
    source = TRAINER.format(name="rich", title="Rich").replace("run=run", "run=run, extra='more'")
    site.install("lacking", {"rich": "lacking:trainer"}, source, *requires)
    (reason,) = (reason for package, reason in broken_ones().values() if package == "lacking")
    assert f'{lacking} must be installed: pip install "lacking[more]"' in reason


def test_a_trainer_whose_extra_is_installed_works(site):
    source = TRAINER.format(name="rich", title="Rich").replace("run=run", "run=run, extra='more'")
    others = ("not-there; extra == 'other'", "nor-this; python_version < '3'")
    site.install("complete", {"rich": "complete:trainer"}, source, "pytest>=2; extra == 'more'", *others)
    assert load_trainers().get("rich").title == "Rich"


def test_two_packages_with_one_name_are_both_refused(site):
    for package in ("first", "second"):
        site.install(package, {"same": f"{package}:trainer"}, TRAINER.format(name="same", title=package))
    registry = load_trainers()
    assert "same" not in registry.trainers
    assert sorted(broken.reason for broken in registry.broken) == [
        "the name 'same' is also taken by first",
        "the name 'same' is also taken by second",
    ]


def test_a_package_cannot_take_the_name_of_a_built_in_trainer(site):
    site.install("a_thief", {"mnist": "a_thief:trainer"}, TRAINER.format(name="mnist", title="Stolen"))
    registry = load_trainers()
    assert registry.get("mnist").title == "ConvNet on images"
    assert load_one("mnist").title == "ConvNet on images"
    assert [broken.package for broken in registry.broken] == ["a_thief"]


def test_a_trainer_that_imports_a_heavy_library_is_described_by_another_process(site):
    source = "import numpy\n" + TRAINER.format(name="heavy", title="Heavy")
    site.install("heavy_one", {"heavy": "heavy_one:trainer"}, source)
    server = in_a_server()
    assert server["shown"]["heavy"] == ["Heavy", {"rounds": 3}]
    assert server["heavy"] == []


def test_a_trainer_that_can_do_without_a_heavy_library_is_still_seen_with_it(site):
    source = "try:\n    import numpy\n    title = 'With'\nexcept ImportError:\n    title = 'Without'\n"
    source += TRAINER.format(name="choosy", title="").replace("title=''", "title=title")
    site.install("choosy", {"choosy": "choosy:trainer"}, source)
    server = in_a_server()
    assert server["shown"]["choosy"][0] == "With"
    assert server["heavy"] == []


def test_parameters_of_a_heavy_trainer_are_refused_in_the_same_words(site, monkeypatch):
    source = "import jax_that_is_not_there\n" + TRAINER.format(name="heavy", title="Heavy")
    site.install("heavy_two", {"heavy": "heavy_two:trainer"}, source.replace("jax_that_is_not_there", "flax"))
    (site.folder / "flax.py").write_text("")
    heavy = load_trainers().get("heavy")
    assert heavy.schema()["properties"]["rounds"]["default"] == 3
    with pytest.raises(InvalidParams, match='rounds is "x", but must be a whole number'):
        heavy.validate({"rounds": "x"})
    with pytest.raises(InvalidParams, match="did you mean 'rounds'"):
        heavy.validate({"round": 1})


def test_a_heavy_trainer_that_is_broken_is_reported_with_its_reason(site):
    site.install("heavy_broken", {"hb": "heavy_broken:trainer"}, "import numpy\nprint('hello')\nnumpy.nonsense")
    assert "has no attribute 'nonsense'" in broken_ones()["hb"][1]


def test_an_unknown_name_is_answered_with_the_nearest(site):
    with pytest.raises(UnknownTrainer, match="there is no trainer \"minst\"; did you mean 'mnist'"):
        load_trainers().get("minst")
    with pytest.raises(UnknownTrainer, match="did you mean 'tour'"):
        load_one("toor")


def test_a_broken_name_is_answered_with_why_it_is_broken(site):
    site.install("crashing", {"crash": "crashing:trainer"}, "raise RuntimeError('no licence')")
    with pytest.raises(UnknownTrainer, match="no licence"):
        load_trainers().get("crash")


def test_a_trainer_whose_parameters_have_no_schema_is_reported(site):
    source = TRAINER.format(name="odd", title="Odd").replace("rounds: int = 3", "rounds: object = len")
    source = source.replace("from pydantic", "from collections.abc import Callable\nfrom pydantic")
    site.install("schemaless", {"odd": "schemaless:trainer"}, source.replace("rounds: object", "rounds: Callable"))
    assert broken_ones()["odd"][1].startswith("PydanticInvalidForJsonSchema")


def test_a_title_that_is_no_text_and_params_that_are_no_model_are_reported(site):
    site.install(
        "untitled", {"a": "untitled:trainer"}, TRAINER.format(name="a", title="").replace("title=''", "title=3")
    )
    source = TRAINER.format(name="b", title="B").replace("params=Params", "params=dict")
    site.install("modelless", {"b": "modelless:trainer"}, source)
    found = broken_ones()
    assert found["a"][1] == "NotATrainer: the title and the description of untitled:trainer must be text"
    assert found["b"][1] == "NotATrainer: the params of modelless:trainer must be a pydantic model"


def test_a_trainer_that_ends_its_process_is_reported_and_harms_no_other(site):
    site.install("leaving", {"leave": "leaving:trainer"}, "import os\nos._exit(3)")
    site.install("shot", {"shot": "shot:trainer"}, "import os\nos.kill(os.getpid(), 9)")
    site.install("based", {"base": "based:trainer"}, "raise BaseException('all of it')")
    found = broken_ones()
    assert found["leave"][1] == "its process ended with exit code 3: no output"
    assert found["shot"][1] == "its process ended with signal 9: no output"
    assert found["base"][1] == "BaseException: all of it"


def test_trainers_that_hang_are_ended_with_what_they_started_and_reported(site, monkeypatch):
    monkeypatch.setattr(packaged, "DESCRIBE_SECONDS", 3.0)
    child = site.folder / "child"
    source = f"""
import subprocess, time
child = subprocess.Popen(["sleep", "1000"])
open({str(child)!r}, "w").write(str(child.pid))
time.sleep(1000)
"""
    site.install("hanging", {"hang": "hanging:trainer"}, source)
    site.install("fine", {"fine": "fine:trainer"}, TRAINER.format(name="fine", title="Fine"))
    registry = load_trainers()
    assert [broken.reason for broken in registry.broken] == ["its import took more than 3 seconds"]
    assert "fine" in registry.trainers
    wait_for(lambda: has_ended(int(child.read_text())), "the end of the trainer's child", 10)


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_trainer_that_leaves_a_thread_running_or_a_process_holding_its_output_is_described(site):
    source = """
import subprocess, threading
threading.Thread(target=threading.Event().wait).start()
subprocess.Popen(["sleep", "5"])
"""
    site.install("lingering", {"linger": "lingering:trainer"}, source + TRAINER.format(name="linger", title="L"))
    assert load_trainers().get("linger").title == "L"


def test_what_a_trainer_writes_to_its_output_is_not_taken_for_its_description(site):
    source = "import os\nprint('hello')\nos.write(1, b'from C')\n" + TRAINER.format(name="loud", title="Loud")
    site.install("loud", {"loud": "loud:trainer"}, source)
    assert load_trainers().get("loud").validate({"rounds": 4}) == {"rounds": 4}


def test_a_malformed_file_of_entry_points_is_reported_and_hides_no_other_package(site):
    site.install("malformed", {"torn": "malformed:trainer"})
    (site.folder / "malformed-1.0.dist-info" / "entry_points.txt").write_text("[traindeck.trainers]\ntorn\n")
    site.install("binary", {"torn": "binary:trainer"})
    (site.folder / "binary-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    site.install("stranger", {"other": "stranger:thing"})
    (site.folder / "stranger-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\ntorn\n")
    registry = load_trainers()
    assert "mnist" in registry.trainers
    assert {broken.package for broken in registry.broken} == {"malformed", "binary"}
    assert all("entry_points.txt is malformed" in broken.reason for broken in registry.broken)


def test_a_check_of_a_packages_own_that_fails_is_a_refusal(site):
    check = "    rounds: int = 3\n    @field_validator('rounds')\n    def check(cls, rounds):\n        return {3: 3}[rounds]"
    source = TRAINER.format(name="keyed", title="K").replace("    rounds: int = 3", check)
    site.install(
        "keyed", {"keyed": "keyed:trainer"}, source.replace("import BaseModel", "import BaseModel, field_validator")
    )
    with pytest.raises(InvalidParams, match="the trainer's own check failed with KeyError: 4"):
        load_trainers().get("keyed").validate({"rounds": 4})
