// The list of runs: tidy filter addresses, filters that cannot be read, and rows that open on a click anywhere.
import { startChosen } from "./chosen.js";

const wrong = document.getElementById("filter-error");

function complain(text) {
  wrong.textContent = text;
  wrong.hidden = !text;
}

document.addEventListener("htmx:config:request", (event) => {
  const { request, sourceElement } = event.detail.ctx;
  complain("");
  if (sourceElement.id !== "filter" || !(request.body instanceof FormData)) return;
  for (const [name, value] of [...request.body]) {
    if (value === "") request.body.delete(name);
  }
});

document.addEventListener("htmx:response:error", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.ctx.text, "text/html");
  complain(answer.getElementById("error-detail")?.textContent ?? "The list could not be read.");
});

document.addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (!row || event.target.closest("a, button, label") || !getSelection().isCollapsed) return;
  const link = row.querySelector(".run-name");
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

startChosen();
