"""The command line. `serve` and `doctor` look at the deck itself; everything else speaks HTTP to its server."""

from traindeck.cli.main import main

__all__ = ["main"]
