"""What passes between a visitor and TensorBoard, and what does not."""

import pytest

from traindeck.boards.headers import PAGE_POLICY, board_policy, request_headers, response_headers

PREFIX = "/runs/42/tensorboard"


def test_cookies_and_authorization_never_reach_a_board() -> None:
    visitor = {
        "cookie": "traindeck=secret",
        "authorization": "Bearer secret",
        "proxy-authorization": "x",
        "connection": "keep-alive, x-secret",
        "x-secret": "1",
        "host": "evil.com",
        "x-forwarded-for": "1.2.3.4",
        "traindeck-board": "somebody else's",
        "accept": "text/html",
    }
    assert request_headers(visitor) == {"accept": "text/html"}


def test_a_board_sets_no_cookie() -> None:
    passed = response_headers({"set-cookie": "a=b", "content-type": "text/html", "connection": "close"}, PREFIX)
    assert passed["content-type"] == "text/html"
    assert not {"set-cookie", "connection"} & set(passed)


def test_every_answer_is_protected() -> None:
    passed = response_headers({}, PREFIX)
    assert passed["x-content-type-options"] == "nosniff"
    assert passed["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'self'" in passed["content-security-policy"]
    assert "http" not in passed["content-security-policy"]


@pytest.mark.parametrize(
    ("location", "passed"),
    [
        ("../notifications_note.json", "../notifications_note.json"),
        ("/", f"{PREFIX}/"),
        ("/images", f"{PREFIX}/images"),
        (f"{PREFIX}/", f"{PREFIX}/"),
        ("https://evil.com/", None),
        ("//evil.com/", None),
        ("\\\\evil.com", None),
        ("/\\evil.com", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_redirect_stays_on_the_board(location: str, passed: str | None) -> None:
    assert response_headers({"location": location}, PREFIX).get("location") == passed


def test_the_policy_keeps_the_hashes_of_tensorboards_own_scripts() -> None:
    upstream = "default-src 'self';script-src 'self' https://cdn.example 'sha256-abc=';frame-src https://x.example"
    assert "'sha256-abc='" in board_policy(upstream)
    assert "example" not in board_policy(upstream)
    assert board_policy(None) == PAGE_POLICY
