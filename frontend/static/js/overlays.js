// The curves of compared runs, one chart for each scalar: the main ones first, all of them on request.
import { ChartGrid } from "./chart-grid.js";
import { settings, startChartSettings } from "./chart-settings.js";
import { counted } from "./numbers.js";
import { Overlay } from "./overlay.js";
import { Scalars } from "./scalars.js";

const MAIN = 6;

export class Overlays {
  constructor(section) {
    this.runs = JSON.parse(section.dataset.runs);
    this.tags = JSON.parse(section.dataset.tags);
    this.scalars = new Map(this.runs.map((run) => [run.id, new Scalars(`/runs/${run.id}`, "")]));
    this.asked = new Set();
    const make = (tag) => new Overlay(tag, settings(), this.runs);
    this.grid = new ChartGrid(document.getElementById("overlays"), { grouped: false, onNeed: () => this.load(), make });
    this.more = document.getElementById("all-overlays");
  }

  start() {
    startChartSettings();
    document.getElementById("no-overlays").hidden = this.tags.length > 0;
    this.more.hidden = this.tags.length <= MAIN;
    this.more.textContent = `Show all ${counted(this.tags.length, "chart")}`;
    this.more.addEventListener("click", () => {
      this.more.hidden = true;
      this.grid.setTags(this.tags);
    });
    this.grid.setTags(this.tags.slice(0, MAIN));
  }

  get(tag) {
    return this.runs.map((run) => ({ run, series: this.scalars.get(run.id).get(tag) })).filter(({ series }) => series?.steps.length);
  }

  // Request each scalar once: an active run is drawn as it was when the page was opened.
  async load() {
    const needed = this.grid.needed();
    const tags = needed.filter((tag) => !this.asked.has(tag));
    for (const tag of tags) this.asked.add(tag);
    if (tags.length) await Promise.all([...this.scalars.values()].map((each) => each.load(tags).catch(() => {})));
    this.grid.update(this);
  }
}
