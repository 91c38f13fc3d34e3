"""The browser of the tests: Chromium without a screen."""

import shutil

from playwright.sync_api import Browser, Playwright

# The headless shell needs a third of the processor time of a whole Chromium for the same page.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]


def start_chromium(playwright: Playwright) -> Browser:
    """Start the first of these browsers that is installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
