"""Run the command as `python -m traindeck.cli`, for when its script is not on the path."""

from traindeck.cli.main import main

main()
