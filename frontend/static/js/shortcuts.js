// Keys that work everywhere except in inputs.
const typing = (target) => target.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]");
let before = "";

function focusSearch() {
  const found = [...document.querySelectorAll("[data-shortcut='/']")].find((input) => input.offsetParent);
  found?.focus();
  found?.select();
  return Boolean(found);
}

function step(by) {
  const links = [...document.querySelectorAll(".run-name")];
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)];
  next?.focus();
  return Boolean(next);
}

const press = (...ids) => {
  const found = ids.map((id) => document.getElementById(id)).find(Boolean);
  found?.click();
  return Boolean(found);
};

function choose() {
  const box = document.activeElement.closest(".row")?.querySelector(".pick");
  box?.click();
  return Boolean(box);
}

const go = (url) => {
  location.assign(url);
  return true;
};

function openTab(key) {
  const tab = document.querySelectorAll("#tabs [role=tab]")[Number(key) - 1];
  tab?.click();
  tab?.focus();
  return Boolean(tab);
}

function handle(key) {
  if (before === "g" && key === "r") return go("/runs");
  if (key >= "1" && key <= "6") return openTab(key);
  const keys = {
    "/": focusSearch,
    n: () => go("/launch"),
    t: () => press("theme"),
    "?": () => press("help"),
    j: () => step(1),
    k: () => step(-1),
    x: choose,
    c: () => press("compare-chosen", "act-compare"),
    e: () => press("act-change"),
    R: () => press("act-rerun"),
  };
  return keys[key]?.() ?? false;
}

export function startShortcuts() {
  document.getElementById("help").addEventListener("click", () => document.getElementById("shortcuts").showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (handle(event.key)) event.preventDefault();
    before = event.key;
  });
}
