// The files of the run: checkpoints first, filtered while the user types, updated while the run is active.
import { getJson } from "./api.js";
import { showBytes } from "./numbers.js";
import { visible } from "./visible.js";
import { updateTimes } from "./times.js";

const SPACING_MS = 3000;

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

function cell(kind, ...content) {
  const made = document.createElement(kind);
  if (kind === "td") made.className = "right";
  made.append(...content);
  return made;
}

// Checkpoints first, the newest on top, because a resume uses it. The others by path.
function order(a, b) {
  const later = a.checkpoint && b.checkpoint ? Date.parse(b.modified_at) - Date.parse(a.modified_at) : 0;
  return b.checkpoint - a.checkpoint || later || a.path.localeCompare(b.path, "en", { numeric: true });
}

function fileRow(url, query, file) {
  const [row, link, name, time] = ["tr", "a", "bdi", "time"].map((kind) => document.createElement(kind));
  row.className = file.checkpoint ? "checkpoint" : "";
  row.dataset.path = file.path.toLowerCase();
  name.textContent = visible(file.path);
  link.href = `${url}/files/${file.path.split("/").map(encodeURIComponent).join("/")}${query}`;
  link.download = "";
  link.append(icon(file.checkpoint ? "checkpoint" : "file"), name);
  time.dateTime = file.modified_at;
  time.dataset.relative = "";
  const head = cell("th", link);
  head.scope = "row";
  row.append(head, cell("td", showBytes(file.size)), cell("td", time));
  return row;
}

export class Files {
  constructor(panel, url) {
    Object.assign(this, { panel, url, attempt: "", shown: "", due: 0 });
    this.rows = document.getElementById("file-rows");
    this.note = document.getElementById("file-note");
    this.query = document.getElementById("file-filter");
    panel.addEventListener("deck:shown", () => this.load());
    this.query.addEventListener("input", () => this.filter());
    document.addEventListener("deck:run", () => this.loadSoon());
    document.addEventListener("deck:back", () => this.loadSoon());
    document.addEventListener("deck:attempt", (event) => this.switchTo(event.detail));
  }

  loadSoon() {
    if (this.panel.hidden || this.due) return;
    this.due = setTimeout(() => {
      this.due = 0;
      if (!this.panel.hidden && !document.hidden) this.load();
    }, SPACING_MS);
  }

  get ofAttempt() {
    return this.attempt && `?attempt=${this.attempt}`;
  }

  switchTo(attempt) {
    Object.assign(this, { attempt, shown: "" });
    if (!this.panel.hidden) this.load();
  }

  async load() {
    const { attempt } = this;
    try {
      const answer = await getJson(`${this.url}/files${this.ofAttempt}`);
      if (attempt === this.attempt) this.show(answer);
    } catch (problem) {
      this.note.textContent = problem.message;
    }
  }

  show({ items, truncated }) {
    const told = JSON.stringify(items);
    this.note.textContent = items.length === 0 ? "The run has not written any files yet." : truncated ? "There are more files than this list shows." : "";
    if (told === this.shown) return;
    this.shown = told;
    const sorted = [...items].sort(order);
    this.rows.replaceChildren(...sorted.map((file) => fileRow(this.url, this.ofAttempt, file)));
    updateTimes();
    this.filter();
  }

  filter() {
    const wanted = this.query.value.trim().toLowerCase();
    let count = 0;
    for (const row of this.rows.rows) {
      row.hidden = !row.dataset.path.includes(wanted);
      count += row.hidden ? 0 : 1;
    }
    document.getElementById("file-count").textContent = wanted ? `${count}` : "";
  }
}
