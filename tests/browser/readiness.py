"""When a page answers to keys and clicks."""

from playwright.sync_api import Page, expect


def wait_until_ready(page: Page) -> None:
    """Wait until the page's scripts have run; the shell's, which name the theme's key, come last."""
    expect(page.locator("#theme")).to_have_attribute("title", "Colors: as the system (t)")
