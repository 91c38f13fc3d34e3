"""The Jinja environment that all pages are rendered with."""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from traindeck.counting import counted, plural
from traindeck.pages.resources import frontend_folder, static_url
from traindeck.pages.visible import Exact, visible


@cache
def environment() -> Environment:
    """Escapes everything, shows hidden characters, refuses unknown names; made at the first page."""
    made = Environment(
        loader=FileSystemLoader(frontend_folder() / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static_url"] = static_url
    made.filters["exact"] = Exact
    made.filters["counted"] = counted
    made.filters["plural"] = plural
    return made


def render(template: str, page: object) -> str:
    """The HTML of `template` for `page`, its context."""
    return environment().get_template(template).render(page=page)
