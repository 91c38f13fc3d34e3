"""A page that stays open in a real browser, as it does beside somebody's training."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
END_SECONDS = 10.0


@contextmanager
def page_open(url: str) -> Iterator[psutil.Process]:
    """Have a Chromium without a screen show `url`; gives its first process.

    Raises:
        FileNotFoundError: there is no Chromium.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise FileNotFoundError("no Chromium was found: install it, or leave this row out with --only")
    with tempfile.TemporaryDirectory(prefix="traindeck-bench-", ignore_cleanup_errors=True) as profile:
        command = [found, *ARGUMENTS, f"--user-data-dir={profile}", url]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield psutil.Process(browser.pid)
        finally:
            browser.terminate()
            try:
                browser.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
