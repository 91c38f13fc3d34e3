"""The editor for pasted source, as a person uses it."""

from playwright.sync_api import Locator, Page, expect


def source_editor(page: Page) -> Locator:
    """Its text, once it is there."""
    editor = page.get_by_role("textbox", name="Source", exact=True).and_(page.locator(".cm-content"))
    expect(editor).to_be_visible()
    return editor


def write_source(page: Page, source: str) -> None:
    """Put other source in the place of what is there."""
    source_editor(page).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(source)
