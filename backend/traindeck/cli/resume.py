"""`traindeck resume`."""

from traindeck.cli.arguments import AsJson, Number, Url
from traindeck.cli.run_actions import post_action


def resume(number: Number, as_json: AsJson = False, url: Url = None) -> None:
    """Queue a new attempt of a run that has ended, from its last checkpoint."""
    post_action([number], "resume", as_json=as_json, url=url)
