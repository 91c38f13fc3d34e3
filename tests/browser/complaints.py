"""What a browser reports of its own accord: errors of scripts, of its policies, and answers that it could not use."""

from playwright.sync_api import ConsoleMessage, Page


class Complaints:
    """Collects complaints; those that a test expects, it names by a part of their text."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.expected: list[str] = []

    def listen_to(self, page: Page) -> None:
        """Hear every complaint of a page and its frames from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.heard.append(f"{page.url}: {error}"))

    def expect(self, *parts: str) -> None:
        """Complaints that contain one of these are part of the test."""
        self.expected += parts

    def unexpected(self) -> list[str]:
        """What was heard and not expected."""
        return [heard for heard in self.heard if not any(part in heard for part in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        source = message.location.get("url", "")
        # TensorBoard's own scripts warn of libraries that they bundle twice and of elements that they use still.
        serious = {"error"} if "/tensorboard/" in source or "/boards/" in source else {"error", "warning"}
        if message.type in serious:
            self.heard.append(f"{message.type}: {message.text} ({source})")
