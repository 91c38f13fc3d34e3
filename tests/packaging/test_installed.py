"""The wheel in an environment of its own, away from the checkout."""

import json
import re
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]

PLACES = """
import json, sys, traindeck
from traindeck.db.migrate import migrations_folder
from traindeck.pages.frontend import frontend_folder
places = [traindeck.__file__, migrations_folder(), frontend_folder()]
print(json.dumps({"places": [str(place) for place in places], "path": sys.path}))
"""

MIGRATE = """
import sqlite3, sys
from pathlib import Path
from traindeck.db.migrate import migrate, newest_revision
path = Path(sys.argv[1])
assert migrate(path) is None
[[revision]] = sqlite3.connect(path).execute("SELECT version_num FROM alembic_version")
assert revision == newest_revision()
assert migrate(path) == revision
print(revision)
"""

HTML = {"Accept": "text/html"}


def test_package_migrations_and_pages_are_those_of_the_wheel(installed: Any, tmp_path: Path) -> None:
    found = json.loads(installed.run(installed.python, "-c", PLACES, cwd=tmp_path))
    assert all(Path(place).is_relative_to(installed.folder) for place in found["places"])
    assert str(CHECKOUT / "backend") not in found["path"]


def test_the_migrations_run_from_the_installed_package(installed: Any, tmp_path: Path) -> None:
    assert installed.run(installed.python, "-c", MIGRATE, tmp_path / "deck.db", cwd=tmp_path).strip().isdigit()


def test_the_list_of_runs_is_served_as_a_page(installed_deck: Any) -> None:
    answer = installed_deck.client.get("/runs", headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<title>" in answer.text


def test_everything_that_the_page_links_is_there(installed_deck: Any) -> None:
    page = installed_deck.client.get("/runs", headers=HTML).text
    links = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert {link.partition("/pages/")[2] for link in links} >= {"runs.js", "runs.css"}
    assert {link: installed_deck.client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_front_end_parts_are_served(installed_deck: Any) -> None:
    page = installed_deck.client.get("/runs", headers=HTML).text
    version = re.search(r"/static/[0-9a-f]+/", page)
    assert version is not None
    for name in ("vendor/codemirror.js", "vendor/inter/greek.woff2", "pages/compare.js", "pages/compare.css"):
        assert installed_deck.client.get(f"{version[0]}{name}").status_code == 200


def test_the_built_in_trainers_are_found_once_and_whole(installed_deck: Any) -> None:
    answer = installed_deck.client.get("/trainers").json()
    names = [trainer["name"] for trainer in answer["items"]]
    assert sorted(names) == ["mnist", "tour"]
    assert answer["broken"] == []


def test_a_script_is_run_by_the_environment_of_the_wheel(installed: Any, installed_deck: Any) -> None:
    run = installed_deck.launch("import sys, traindeck; print(sys.prefix); print(traindeck.__file__)")
    installed_deck.wait_for_status(run["id"], "completed")
    prefix, package = installed_deck.log_of(run["id"]).splitlines()
    assert Path(prefix) == installed.folder
    assert Path(package).is_relative_to(installed.folder)
