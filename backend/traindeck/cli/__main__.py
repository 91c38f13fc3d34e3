"""`python -m traindeck.cli`: the command where its script is not on the path."""

from traindeck.cli.main import main

main()
