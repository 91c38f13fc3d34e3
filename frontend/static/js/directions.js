// Set which direction of a scalar is better, which marks the best of the compared runs: [data-direction] has its tag.
import { sendJson } from "./api.js";
import { toast } from "./toast.js";

export function startDirections() {
  document.addEventListener("change", async ({ target }) => {
    if (target.dataset.direction === undefined) return;
    try {
      await sendJson("PATCH", "/metric-directions", { tag: target.dataset.direction, better: target.value || null });
      location.reload();
    } catch (problem) {
      toast(problem.message, true);
    }
  });
}
