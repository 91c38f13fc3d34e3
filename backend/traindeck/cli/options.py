"""Arguments and options that several commands share."""

from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="TRAINDECK_URL", help="Where the deck is; found by itself if it runs from its home."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the deck's own JSON, and nothing else.")]
Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The number of the run.", show_default=False)]
Numbers = Annotated[list[int], typer.Argument(metavar="N...", min=1, help="Numbers of runs.", show_default=False)]
