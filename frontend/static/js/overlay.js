// One chart of several runs: a line for each run in its color, with its value beside its name.
import { Chart, saysOrigin } from "./chart.js";
import { showValue } from "./numbers.js";
import { drawPlot, plotData } from "./plot.js";
import { visible } from "./visible.js";

const SOLID = 4;
const DASH = [5, 4];

// Lines whose colors are hard to distinguish are dashed too.
export const lineOf = ({ colour }) => ({ colour: `--run-${colour}`, dash: colour > SOLID ? DASH : undefined });

// Return the last value of a series up to a point of the shared x axis, where it may have no point.
function valueBy(column, at) {
  let index = at;
  while (index > 0 && column[index] === undefined) index -= 1;
  return column[index];
}

export class Overlay extends Chart {
  constructor(tag, settings, runs) {
    super(tag, settings);
    this.runs = runs;
    this.values = new Map(runs.map((run) => [run.id, document.createElement("span")]));
    this.legend = document.createElement("ul");
    this.legend.className = "chart-legend num";
    this.element.classList.add("overlay");
    this.note.replaceWith(this.legend);
    this.legend.append(...runs.map((run) => this.entry(run)));
  }

  entry(run) {
    const [item, swatch, name] = ["li", "i", "bdi"].map((kind) => document.createElement(kind));
    swatch.className = `swatch c-${run.colour}`;
    name.textContent = visible(run.name);
    item.title = `${name.textContent} #${run.id}`;
    item.append(swatch, name, this.values.get(run.id));
    return item;
  }

  // `found` has {run, series} for each run with this scalar.
  show(found) {
    if (!found?.length) return;
    this.found = found;
    this.box.classList.remove("waiting");
    this.data = plotData(found.map(({ series }) => series), this.settings);
    if (this.plot) this.plot.setData(this.data);
    else this.draw();
    this.describe(this.plot.cursor.idx ?? null);
  }

  draw() {
    this.data = plotData(this.found.map(({ series }) => series), this.settings);
    const drawn = this.found.map(({ run }) => lineOf(run));
    this.plot = drawPlot(this.box, this.data, drawn, this.settings, (at) => this.describe(at));
    this.resized.observe(this.box);
  }

  describe(at) {
    const [x] = this.data;
    const index = at ?? x.length - 1;
    const origin = saysOrigin(
      this.found.map(({ series }) => series),
      this.settings,
    );
    if (this.value.textContent !== origin) this.value.textContent = origin;
    for (const text of this.values.values()) text.textContent = "–";
    this.found.forEach(({ run }, place) => {
      const value = valueBy(this.data[1 + 2 * place], index);
      this.values.get(run.id).textContent = value === undefined ? "–" : showValue(value);
    });
  }
}
