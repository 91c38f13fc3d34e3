"""frontend/build.py: what pages load follows what it is made of."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from traindeck import server
from traindeck.errors import DeckUnusable
from traindeck.pages import frontend as pages
from traindeck.pages.frontend import frontend_folder

IMPORT = re.compile(r'(?:^import |@import |^export .* from |\bimport\()[^"]*"(\.[^"]+)"', re.MULTILINE)


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    """A copy of the front end, up to date."""
    copy = tmp_path / "frontend"
    shutil.copytree(frontend_folder(), copy, ignore=shutil.ignore_patterns("node_modules", ".build-*"))
    (copy / "node_modules").symlink_to(frontend_folder() / "node_modules")
    return copy


def build(frontend: Path) -> subprocess.CompletedProcess[str]:
    # Isolated, and without hatchling, as for a server whose environment has none.
    command = [sys.executable, "-I", str(frontend / "build.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def files_of(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_what_is_up_to_date_is_left_alone(frontend: Path) -> None:
    before = files_of(frontend / "static")
    assert build(frontend).returncode == 0
    assert files_of(frontend / "static") == before


@pytest.mark.parametrize(
    ("source", "more", "built"),
    [
        ("static/js/toast.js", 'console.log("a new script");', "pages/error.js"),
        ("static/css/status.css", ".a-new-rule{--a-new-script:1}", "pages/error.css"),
        ("pages/error.js", 'console.log("a new script");', "pages/error.js"),
    ],
)
def test_an_edit_is_in_every_page_that_uses_the_file(frontend: Path, source: str, more: str, built: str) -> None:
    with (frontend / source).open("a") as file:
        file.write(more)
    version = (frontend / "static/pages/stamp.sha256").read_text()
    assert build(frontend).returncode == 0
    text = (frontend / "static" / built).read_text()
    assert re.search("a.new.script", text)
    assert (frontend / "static/pages/stamp.sha256").read_text() != version


def test_a_file_that_was_lost_is_built_again_and_one_that_is_nobodys_goes(frontend: Path) -> None:
    pages = frontend / "static/pages"
    (pages / "run.js").unlink()
    (pages / "gone.js").write_text("")
    assert build(frontend).returncode == 0
    assert (pages / "run.js").is_file()
    assert not (pages / "gone.js").exists()


def test_a_script_with_an_error_is_named_and_the_last_good_build_stays(frontend: Path) -> None:
    before = (frontend / "static/pages/run.js").read_bytes()
    (frontend / "static/js/charts.js").write_text("export const = 1;\n")
    done = build(frontend)
    assert done.returncode == 1
    assert "static/js/charts.js:1:13" in done.stderr
    assert "Traceback" not in done.stderr
    assert "node:" not in done.stderr
    assert (frontend / "static/pages/run.js").read_bytes() == before


def test_a_server_builds_what_is_out_of_date_before_it_serves(frontend: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "frontend_folder", lambda: frontend)
    with (frontend / "static/js/toast.js").open("a") as file:
        file.write('console.log("a new script");')
    server.build_pages()
    assert "a new script" in (frontend / "static/pages/runs.js").read_text()


def test_a_server_that_cannot_build_says_what_to_do(frontend: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "frontend_folder", lambda: frontend)
    (frontend / "static/js/toast.js").write_text("export const = 1;\n")
    with pytest.raises(DeckUnusable, match=r"(?s)static/js/toast\.js:1:13.*python\S* .*frontend/build\.py"):
        server.build_pages()


def test_the_installed_package_builds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "frontend_folder", lambda: tmp_path)
    server.build_pages()


def test_the_version_in_addresses_follows_what_was_built(frontend: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "static_folder", lambda: frontend / "static")
    first = pages.static_version()
    assert first == pages.static_version()
    with (frontend / "static/css/status.css").open("a") as file:
        file.write(".a-new-rule{margin:0}")
    assert build(frontend).returncode == 0
    assert pages.static_version() != first


def test_every_script_and_style_sheet_is_part_of_a_page() -> None:
    static = frontend_folder() / "static"
    found, left = set(), sorted((frontend_folder() / "pages").glob("*.js"))
    while left:
        path = left.pop()
        named = [Path(os.path.normpath(path.parent / name)) for name in IMPORT.findall(path.read_text())]
        left += [name for name in named if name not in found]
        found |= set(named)
    sources = {path for kind in ("js", "css") for path in (static / kind).rglob(f"*.{kind}")}
    assert sources == found & sources


def test_source_maps_name_files_that_are_served() -> None:
    pages = frontend_folder() / "static" / "pages"
    maps = sorted(pages.glob("*.map"))
    assert maps
    for path in maps:
        sources = [(pages / source).resolve() for source in json.loads(path.read_text())["sources"]]
        assert all(source.is_file() for source in sources)
        assert frontend_folder() / "static" / "js" / "shell.js" in sources or path.name.endswith(".css.map")
