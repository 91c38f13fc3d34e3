"""A color for each of several runs: the same in a comparison and on a board."""

COLOURS = 8
"""The number of --run-N in tokens.css, and the most runs that can be compared."""


def run_colours(run_ids: list[int]) -> dict[int, int]:
    """Return a color for each run, by its number. No two share one; most keep theirs when others join or leave."""
    taken: dict[int, int] = {}
    for run_id in sorted(run_ids):
        wanted = range(run_id, run_id + COLOURS)
        taken[run_id] = next(
            (at % COLOURS + 1 for at in wanted if at % COLOURS + 1 not in taken.values()), run_id % COLOURS + 1
        )
    return taken
