// Buttons that copy what another element says: [data-copy] names it.
import { toast } from "./toast.js";

export async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    toast("Copied.");
  } catch {
    // Over plain HTTP from another machine there is no clipboard: the text is selected instead.
    getSelection().selectAllChildren(element);
    toast("Press Ctrl+C to copy.");
  }
}

export function startCopy() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copyText(document.getElementById(button.dataset.copy));
  });
}
