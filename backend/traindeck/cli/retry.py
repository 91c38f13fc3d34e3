"""`traindeck retry`."""

from traindeck.cli.arguments import AsJson, Numbers, Url
from traindeck.cli.run_actions import post_action


def retry(numbers: Numbers, as_json: AsJson = False, url: Url = None) -> None:
    """Queue a new attempt of runs that have ended, from their beginning."""
    post_action(numbers, "retry", as_json=as_json, url=url)
