"""What a test reads off an open TensorBoard."""

from playwright.sync_api import FrameLocator, Page


def hovered_point(board: FrameLocator | Page, tag: str) -> tuple[int, float]:
    """Step and value that the time series tab shows where the mouse rests in the middle of the card of `tag`."""
    board.get_by_role("combobox", name="Filter tags").fill(f"^{tag}$")
    board.locator(f"scalar-card:has([title='{tag}']) line-chart").hover()
    cells = board.locator(".tooltip tbody tr.closest td").all_inner_texts()
    names = board.locator(".tooltip thead th").all_inner_texts()
    point = dict(zip(names, cells, strict=True))
    return int(point["Step"].replace(",", "")), float(point["Value"])
