// Short messages at the edge of the page, which screen readers announce.
import { afterPaint } from "./painted.js";
import { visible } from "./visible.js";

const SHOWN_MS = 6000;
const KEPT = "traindeck-toast";

export function toast(message, bad = false) {
  const box = document.createElement("div");
  box.className = bad ? "toast bad" : "toast";
  box.textContent = visible(message);
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), SHOWN_MS);
}

// Keep a message for the next page, for an action that leads there.
export function toastOnTheNextPage(message) {
  sessionStorage.setItem(KEPT, message);
}

export function startToasts() {
  afterPaint(() => {
    const kept = sessionStorage.getItem(KEPT);
    if (!kept) return;
    sessionStorage.removeItem(KEPT);
    toast(kept);
  });
}
