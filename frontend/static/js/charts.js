// The curves of a run: the main ones in the overview, all of them in their own tab, both kept up to date.
import { ChartGrid } from "./chart-grid.js";
import { startChartSettings } from "./chart-settings.js";
import { once } from "./painted.js";
import { Scalars } from "./scalars.js";
import { visible } from "./visible.js";

const SPACING_MS = 1000;
const byName = once(() => new Intl.Collator("en", { numeric: true }));

class Charts {
  constructor(url) {
    this.url = url;
    this.chosen = "";
    this.begin();
    this.busy = false;
    this.again = false;
    this.state = {};
    const onNeed = () => this.load();
    this.main = new ChartGrid(document.getElementById("main-charts"), { grouped: false, onNeed });
    this.all = new ChartGrid(document.getElementById("all-charts"), { grouped: true, onNeed });
    this.query = document.getElementById("tag-filter");
    this.panel = document.getElementById("panel-charts");
  }

  start() {
    startChartSettings();
    this.query.addEventListener("input", () => this.filter());
    this.panel.addEventListener("deck:shown", () => this.openAll());
    document.addEventListener("htmx:after:swap", () => this.follow());
    document.addEventListener("deck:back", () => this.load());
    document.addEventListener("deck:attempt", (event) => this.switchTo(event.detail));
    this.follow();
  }

  // Pending responses still go to the old scalars, which are no longer shown.
  begin() {
    this.scalars = new Scalars(this.url, this.chosen);
  }

  switchTo(attempt) {
    this.chosen = attempt;
    this.begin();
    for (const grid of [this.main, this.all]) grid.clear();
    this.follow();
    this.openAll();
  }

  // The head of the page has the most important tags, and whether there is new data.
  follow() {
    const { mainTags, tagCount, scalarSteps, attempt, status, unreadLogs } = document.getElementById("run-progress").dataset;
    if (this.state.attempt !== undefined && this.state.attempt !== attempt && !this.chosen) this.begin();
    const stale = this.state.told !== `${attempt} ${tagCount} ${scalarSteps} ${status}`;
    this.state = { attempt, told: `${attempt} ${tagCount} ${scalarSteps} ${status}` };
    const tags = JSON.parse(mainTags);
    this.main.setTags(tags);
    this.showNone(tags.length === 0, status, unreadLogs);
    // A run without scalars may still have notes about its event files.
    if (stale && tags.length) this.load();
    else if (stale) this.openAll();
  }

  showNone(none, status, unreadLogs) {
    this.none ??= Object.assign(document.createElement("p"), { className: "charts-none" });
    const ended = !["queued", "starting", "running", "stopping"].includes(status);
    const nothing = ended ? "This run wrote no scalars." : "Curves appear when the run writes its first scalar.";
    this.none.textContent = unreadLogs || nothing;
    if (none) this.main.box.append(this.none);
    else this.none.remove();
  }

  // Show the parts of the event files that the charts leave out or correct.
  showProblems() {
    const { problems } = this.scalars;
    if (!problems || this.problemsShown === JSON.stringify(problems)) return;
    this.problemsShown = JSON.stringify(problems);
    for (const list of document.querySelectorAll(".chart-problems")) {
      const told = problems.map((problem) => {
        const line = document.createElement("li");
        line.append(Object.assign(document.createElement("bdi"), { textContent: visible(problem) }));
        return line;
      });
      list.replaceChildren(...told);
      list.hidden = !problems.length;
    }
  }

  async openAll() {
    await this.scalars.loadTags().catch(() => {});
    this.showProblems();
    this.showAll();
    this.load();
  }

  showAll() {
    if (this.panel.hidden) return;
    this.all.setTags([...this.scalars.tags].sort(byName().compare));
    document.getElementById("no-charts").hidden = this.scalars.tags.length > 0;
    this.filter();
  }

  filter() {
    const count = this.all.filter(this.query.value);
    document.getElementById("tag-count").textContent = this.all.tags.size ? `${count} of ${this.all.tags.size}` : "";
    this.load();
  }

  // Run one update at a time. Requests during an update cause one more, a second later.
  async load() {
    this.again = this.busy;
    if (this.busy) return;
    const grid = this.panel.hidden ? this.main : this.all;
    const tags = grid.needed();
    if (!tags.length) return;
    this.busy = true;
    const before = this.scalars.tags.length;
    await this.scalars.load(tags).catch(() => {});
    grid.update(this.scalars);
    this.showProblems();
    if (this.scalars.tags.length !== before) this.showAll();
    const missing = grid.needed().some((tag) => !this.scalars.get(tag));
    setTimeout(() => this.rest(), missing ? 0 : SPACING_MS);
  }

  rest() {
    this.busy = false;
    if (this.again) this.load();
  }
}

export function startCharts(url) {
  new Charts(url).start();
}
