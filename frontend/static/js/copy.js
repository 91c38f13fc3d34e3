// Buttons that copy the text of another element, which [data-copy] names.
import { toast } from "./toast.js";

export async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    toast("Copied.");
  } catch {
    // Over plain HTTP from another machine there is no clipboard: select the text instead.
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
