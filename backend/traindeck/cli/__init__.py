"""Provide the command line: one module for each command, and one for the actions on runs.

`serve` and `doctor` work on the deck's own files; every other command sends HTTP requests to a running deck.
"""

from traindeck.cli.main import main

__all__ = ["main"]
