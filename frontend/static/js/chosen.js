// The runs of the list that are selected for a comparison. The selection survives refresh, filters and paging.
import { counted } from "./numbers.js";
import { afterPaint } from "./painted.js";

const KEPT = "traindeck-chosen";
const MOST = 8;

const [bar, note, compare, board] = ["chosen", "chosen-note", "compare-chosen", "board-chosen"].map((id) => document.getElementById(id));
const chosen = new Set();
let wasRead = false;
let anchor = "";

function read() {
  if (wasRead) return;
  wasRead = true;
  try {
    for (const value of JSON.parse(sessionStorage.getItem(KEPT)) ?? []) chosen.add(value);
  } catch {
    // Storage is blocked, or holds other data: nothing is selected.
  }
}

const boxes = () => [...document.querySelectorAll(".pick")];

function describe() {
  if (chosen.size > MOST) return `${counted(chosen.size, "run")} chosen. Up to ${MOST} can be compared.`;
  const said = `${counted(chosen.size, "run")} chosen`;
  return chosen.size === 1 ? `${said}. Choose another to compare.` : said;
}

// Rows that the server sent again do not contain the selection.
function show() {
  read();
  const all = boxes();
  for (const box of all) box.checked = chosen.has(box.value);
  const every = document.getElementById("pick-all");
  if (every) {
    every.checked = all.every((box) => box.checked);
    every.indeterminate = !every.checked && all.some((box) => box.checked);
  }
  bar.hidden = chosen.size === 0;
  note.textContent = chosen.size ? describe() : "";
  compare.textContent = chosen.size < 2 ? "Compare" : `Compare ${counted(chosen.size, "run")}`;
  board.href = `/boards/?runs=${[...chosen].join(",")}`;
  compare.disabled = chosen.size < 2 || chosen.size > MOST;
}

function choose(values, wanted) {
  read();
  for (const value of values) {
    if (wanted) chosen.add(value);
    else chosen.delete(value);
  }
  sessionStorage.setItem(KEPT, JSON.stringify([...chosen]));
  show();
}

// With Shift, select all rows from the last selected run to this one.
function range(box) {
  const values = boxes().map((each) => each.value);
  const [from, to] = [values.indexOf(anchor), values.indexOf(box.value)].sort((a, b) => a - b);
  return from < 0 ? [box.value] : values.slice(from, to + 1);
}

export function startChosen() {
  document.addEventListener("click", ({ target, shiftKey }) => {
    if (target.id === "pick-all") choose(boxes().map((box) => box.value), target.checked);
    else if (target.matches?.(".pick")) {
      choose(shiftKey ? range(target) : [target.value], target.checked);
      anchor = target.value;
    }
  });
  compare.addEventListener("click", () => location.assign(`/compare?runs=${[...chosen].join(",")}`));
  document.getElementById("clear-chosen").addEventListener("click", () => choose([...chosen], false));
  document.addEventListener("htmx:after:swap", show);
  document.addEventListener("deck:deleted", (event) => choose([String(event.detail.id)], false));
  afterPaint(show);
}
