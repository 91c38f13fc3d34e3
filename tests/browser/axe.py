"""What axe-core finds wrong with a page."""

from pathlib import Path

from playwright.sync_api import Page

SOURCE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
RUN = """async () => {
  // What fades in or out is judged where it comes to rest.
  document.getAnimations().forEach((animation) => animation.effect.getTiming().iterations === Infinity || animation.finish());
  return (await axe.run(document, { iframes: false })).violations;
}"""


def violations(page: Page) -> list[str]:
    """Each broken rule with the places that break it. Frames, which are TensorBoard's, are left out."""
    page.evaluate(SOURCE.read_text())
    return [_describe(found) for found in page.evaluate(RUN)]


def _describe(found: dict[str, object]) -> str:
    nodes = "; ".join(f"{node['target']} {node['failureSummary']}" for node in found["nodes"])
    return f"{found['id']}: {nodes}"
