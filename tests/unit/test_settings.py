"""Settings: from arguments, then the environment, then the defaults; on loopback only."""

import pytest
from pydantic import ValidationError

from traindeck.settings import Settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith("TRAINDECK_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "9001", 9001),
        ("cpus", "3", 3),
        ("gpus", "0,2", (0, 2)),
        ("gpus", "", ()),
        ("grace_seconds", "2.5", 2.5),
        ("cold", "true", True),
        ("host", "::1", "::1"),
    ],
)
def test_every_setting_is_a_variable_too(monkeypatch, name, text, value):
    monkeypatch.setenv(f"TRAINDECK_{name.upper()}", text)
    assert getattr(Settings(), name) == value


def test_an_argument_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("TRAINDECK_PORT", "9001")
    assert Settings(port=9002).port == 9002


def test_the_home_is_absolute_wherever_the_server_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings(home="deck").home == tmp_path / "deck"


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.4", "evil.com", "", "localhost.evil.com", "127.0.0.1.nip.io"]
)
def test_a_deck_listens_on_loopback_only(host):
    with pytest.raises(ValidationError, match="must be a loopback address"):
        Settings(host=host)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 65536),
        ("port", -1),
        ("cpus", 0),
        ("grace_seconds", -1),
        ("gpus", "a,b"),
        ("gpus", "0,0"),
        ("gpus", "-1"),
    ],
)
def test_a_setting_out_of_bounds_is_refused(name, value):
    with pytest.raises(ValidationError):
        Settings(**{name: value})


def test_no_graphics_card_is_given_twice():
    assert len(set(Settings(gpus="0,1").gpus)) == 2
