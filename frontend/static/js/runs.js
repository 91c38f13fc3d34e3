// The list of runs: short filter addresses, errors in filters, and rows that open on a click anywhere.
import { startChosen } from "./chosen.js";
import { visible } from "./visible.js";

const wrong = document.getElementById("filter-error");

function complain(text, position) {
  wrong.textContent = text;
  if (position) wrong.prepend(marked(document.getElementById("q").value, position - 1));
  wrong.hidden = !text;
}

// Return the filter with a mark at the character where it is invalid.
function marked(filter, place) {
  const characters = [...filter];
  const shown = document.createElement("code");
  const mark = document.createElement("mark");
  shown.className = "filter-mark";
  mark.textContent = characters[place] ?? " ";
  shown.append(visible(characters.slice(0, place).join("")), mark, visible(characters.slice(place + 1).join("")));
  return shown;
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
  const detail = answer.getElementById("error-detail");
  complain(detail?.textContent ?? "The list could not be read.", Number(detail?.dataset.position));
});

document.addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (!row || event.target.closest("a, button, label") || !getSelection().isCollapsed) return;
  const link = row.querySelector(".run-name");
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

startChosen();
