// The dialog that selects runs to compare with those on the page.
import { getJson } from "./api.js";
import { counted } from "./numbers.js";
import { visible } from "./visible.js";

const MOST = 8;
const OFFERED = 12;
const PAUSE_MS = 200;

const [dialog, form, search, list, note, go] = ["compare-with", "compare-form", "compare-search", "compare-choices", "compare-note", "compare-go"].map((id) =>
  document.getElementById(id),
);
const shown = dialog.dataset.chosen.split(",");
const wanted = new Map();
let asked = 0;
let due;

function choice(run) {
  const [item, label, box, name, about] = ["li", "label", "input", "bdi", "span"].map((kind) => document.createElement(kind));
  Object.assign(box, { type: "checkbox", value: run.id, checked: wanted.has(String(run.id)) });
  name.textContent = visible(run.name);
  about.className = "muted num";
  about.textContent = `#${run.id} · ${run.status}`;
  label.append(box, name, about);
  item.append(label);
  return item;
}

// Selected runs stay visible during further searches.
function offer(found) {
  const others = found.filter((run) => !shown.includes(String(run.id)) && !wanted.has(String(run.id)));
  list.replaceChildren(...[...wanted.values(), ...others].slice(0, Math.max(OFFERED, wanted.size)).map(choice));
  const runs = new Map([...wanted.values(), ...others].map((run) => [String(run.id), run]));
  list.onchange = ({ target }) => {
    if (target.checked) wanted.set(target.value, runs.get(target.value));
    else wanted.delete(target.value);
    count();
  };
  note.textContent = list.childElementCount ? "" : "No other run matches.";
}

function count() {
  const all = shown.length + wanted.size;
  go.disabled = wanted.size === 0 || all > MOST;
  go.textContent = wanted.size ? `Compare ${counted(all, "run")}` : "Compare";
  note.textContent = all > MOST ? `Up to ${MOST} runs can be compared.` : "";
}

async function find() {
  const turn = (asked += 1);
  const query = new URLSearchParams({ q: search.value, limit: OFFERED + MOST });
  try {
    const { items } = await getJson(`/runs?${query}`);
    if (turn === asked) offer(items);
  } catch (problem) {
    if (turn === asked) note.textContent = problem.errors[0]?.message ?? problem.message;
  }
}

function open() {
  wanted.clear();
  search.value = "";
  list.replaceChildren();
  count();
  dialog.showModal();
  find();
}

export function startCompareWith() {
  document.addEventListener("click", (event) => event.target.closest("[data-action=compare]") && open());
  document.getElementById("compare-close").addEventListener("click", () => dialog.close());
  search.addEventListener("input", () => {
    clearTimeout(due);
    due = setTimeout(find, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!go.disabled) location.assign(`/compare?runs=${[...shown, ...wanted.keys()].join(",")}`);
  });
}
