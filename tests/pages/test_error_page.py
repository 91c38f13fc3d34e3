"""The page for a request that could not be answered."""

from urllib.parse import quote

import pytest

from pages.markup import Element, read
from pages.sample_runs import HOSTILE
from traindeck.pages.error_page import render_error


def render(status: int, asked: str = "") -> Element:
    return read(render_error(status, "The standard's phrase", "Close the quote.", None, asked=asked))


@pytest.mark.parametrize(
    ("status", "title"),
    [(404, "Not found"), (422, "A value is invalid"), (500, "Something went wrong"), (418, "The standard's phrase")],
)
def test_the_title_is_in_words_of_people_where_there_are_any(status: int, title: str) -> None:
    page = render(status)
    assert page.one("h1").words() == title
    assert page.one("title").words().startswith(title)


def test_a_filter_that_cannot_be_read_is_there_to_be_corrected_or_left_out() -> None:
    section = render(422, "/runs?q=loss+%22&sort=name").one("section", class_="empty")
    assert section.one("input", name="q").attributes["value"] == 'loss "'
    assert section.one("form").attributes["action"] == "/runs"
    link = section.one("a")
    assert (link.words(), link.attributes["href"]) == ("Show all runs, without a filter", "/runs")


@pytest.mark.parametrize(
    ("q", "position", "marked", "whole"),
    [("lr< x", 3, "<", "lr< x"), ('a "b', 3, '"', 'a "b'), ("<b>é:", 5, ":", "<b>é:"), ("ab", 9, " ", "ab ")],
)
def test_the_character_at_which_a_filter_cannot_be_read_is_marked(
    q: str, position: int, marked: str, whole: str
) -> None:
    asked = f"/runs?q={quote(q)}"
    page = read(render_error(422, "No", "Finish it.", None, asked=asked, position=position))
    assert page.one("p", id="error-detail").attributes["data-position"] == str(position)
    assert page.one("mark").text == marked
    assert page.one("p", class_="filter-mark").words() == whole.strip()


@pytest.mark.parametrize(("status", "asked"), [(422, "/runs/x"), (404, "/runs"), (500, "/runs?q=a"), (422, "")])
def test_any_other_error_leads_to_the_runs(status: int, asked: str) -> None:
    section = render(status, asked).one("section", class_="empty")
    assert section.all("form") == []
    assert section.one("a").words() == "Go to the runs"


def test_a_hostile_filter_is_only_a_value() -> None:
    section = render(422, f"/runs?q={quote(HOSTILE)}").one("section", class_="empty")
    assert section.one("input", name="q").attributes["value"] == HOSTILE
    assert section.all("img") == []
