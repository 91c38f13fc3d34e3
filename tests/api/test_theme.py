"""The server makes a page in the colors that its reader chose, so that it is never painted in other ones."""

import re

import pytest

HTML = re.compile(r"<html[^>]*>")


def root(answer) -> str:
    return HTML.search(answer.text)[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/runs", "/launch", "/runs/999"])
@pytest.mark.parametrize("others", ["{}", "a=b; {}", "{}; other=dark", "a=traindeck-theme; {};"])
def test_a_page_has_the_theme_that_the_cookie_names(cold_deck, client, theme, path, others):
    cookie = others.format(f"traindeck-theme={theme}")

    answer = client.get(path, headers={"Accept": "text/html", "Cookie": cookie})

    assert f'data-theme="{theme}"' in root(answer)


@pytest.mark.parametrize(
    "cookie",
    ["", "traindeck-theme=", "traindeck-theme=system", "traindeck-theme=darker", "x-traindeck-theme=dark",
     "traindeck-theme=\"dark\"", "traindeck-theme=<b>", "theme=dark"],
)  # fmt: skip
def test_any_other_cookie_leaves_the_system_s_colors(cold_deck, client, cookie):
    client.get("/runs", headers={"Accept": "text/html", "Cookie": "traindeck-theme=dark"})

    answer = client.get("/runs", headers={"Accept": "text/html", "Cookie": cookie})

    assert "data-theme" not in root(answer)
