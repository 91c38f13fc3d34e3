// What ran, and on which machine: loaded when the tab is opened, and again while parts of it are being read.
import { call } from "./api.js";
import { startFolds } from "./folds.js";

const AGAIN_MS = 1000;
const SPACING_MS = 500;

export class Setup {
  constructor(panel, url) {
    Object.assign(this, { panel, url: `${url}/record`, attempt: "", told: "", due: 0, shown: "" });
    this.box = document.getElementById("setup-box");
    panel.addEventListener("deck:shown", () => this.load());
    panel.addEventListener("input", (event) => this.filter(event.target));
    startFolds(panel);
    document.addEventListener("deck:attempt", (event) => this.switchTo(event.detail));
    document.addEventListener("htmx:after:swap", () => this.follow());
    document.addEventListener("deck:back", () => this.loadSoon(SPACING_MS));
    this.follow();
  }

  switchTo(attempt) {
    this.attempt = attempt;
    if (!this.panel.hidden) this.load();
  }

  // A run that starts has more to show than a queued one. The head of the page has the status.
  follow() {
    const { status, attempt } = document.getElementById("run-progress").dataset;
    const told = `${attempt} ${status === "queued"}`;
    if (this.told !== told) this.loadSoon(SPACING_MS);
    this.told = told;
  }

  loadSoon(wait) {
    clearTimeout(this.due);
    this.due = setTimeout(() => this.panel.hidden || this.load(), wait);
  }

  async load() {
    clearTimeout(this.due);
    const query = this.attempt && `?attempt=${this.attempt}`;
    try {
      const answer = await call(this.url + query, { headers: { Accept: "text/html", "HX-Request": "true" } });
      this.show(await answer.text());
    } catch (problem) {
      if (!this.shown) this.box.textContent = problem.message;
    }
  }

  // Replace only what changed, so that open folds, filters and selections stay.
  show(html) {
    if (html !== this.shown) this.box.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    this.shown = html;
    if (this.box.querySelector("[data-pending]")) this.loadSoon(AGAIN_MS);
  }

  filter(input) {
    if (!input.dataset.filters) return;
    const wanted = input.value.trim().toLowerCase();
    for (const row of document.getElementById(input.dataset.filters).children) row.hidden = !row.dataset.name.includes(wanted);
  }
}
