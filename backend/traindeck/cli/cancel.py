"""`traindeck cancel`."""

from traindeck.cli.arguments import AsJson, Numbers, Url
from traindeck.cli.run_actions import post_action


def cancel(numbers: Numbers, as_json: AsJson = False, url: Url = None) -> None:
    """Stop runs: a queued run at once; a running one by TERM, and by KILL after the grace period."""
    post_action(numbers, "cancel", as_json=as_json, url=url)
