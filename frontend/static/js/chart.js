// One chart: its tag, its last value or the value under the cursor, and its curve while the chart is in view.
import { showDuration, showValue } from "./numbers.js";
import { drawPlot, plotData, stepOrigin } from "./plot.js";
import { visible } from "./visible.js";

function element(kind, name) {
  const made = document.createElement(kind);
  made.className = name;
  return made;
}

const LINE = [{ colour: "--chart-1" }];
// The note of a chart whose steps are too large to be drawn unchanged.
export function saysOrigin(several, { axis }) {
  const origin = axis === "step" ? stepOrigin(several) : null;
  return origin === null ? "" : `drawn from step ${origin.toLocaleString("en")}`;
}

const lastFinite = (values) => values.findLast((value) => value !== null) ?? null;

export class Chart {
  constructor(tag, settings) {
    Object.assign(this, { tag, settings, plot: null, series: null });
    this.element = element("figure", "chart");
    this.element.dataset.tag = tag.toLowerCase();
    this.value = element("span", "chart-value num");
    this.note = element("div", "chart-note num");
    this.box = element("div", "chart-plot waiting");
    this.element.append(this.head(), this.note, this.box);
    this.resized = new ResizeObserver(() => this.plot?.setSize({ width: this.box.clientWidth, height: this.box.clientHeight }));
  }

  head() {
    const [head, name, text] = [element("figcaption", "chart-head"), element("span", "chart-tag"), document.createElement("bdi")];
    text.textContent = visible(this.tag);
    name.title = text.textContent;
    name.append(text);
    head.append(name, this.value);
    return head;
  }

  show(series) {
    if (!series?.steps.length) return;
    this.series = series;
    this.box.classList.remove("waiting");
    if (this.plot) this.plot.setData(plotData([series], this.settings));
    else this.draw();
    this.describe(this.plot.cursor.idx ?? null);
  }

  draw() {
    this.plot = drawPlot(this.box, plotData([this.series], this.settings), LINE, this.settings, (at) => this.describe(at));
    this.resized.observe(this.box);
  }

  redraw() {
    if (!this.plot) return;
    this.hide();
    this.draw();
    this.describe(null);
  }

  // Remove the drawing out of view: thousands of canvases would not fit into memory.
  hide() {
    this.resized.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  describe(at) {
    const { steps, values, wall_times: times } = this.series;
    const last = steps.length - 1;
    const value = at === null ? values[last] : values[at];
    const elapsed = showDuration(times[at ?? last] - times[0]);
    const gaps = at === null && value === null ? ` · last number ${showValue(lastFinite(values))}` : "";
    this.value.textContent = showValue(value);
    const origin = saysOrigin([this.series], this.settings);
    this.note.textContent = `step ${steps[at ?? last].toLocaleString("en")} · ${elapsed}${gaps}${origin && ` · ${origin}`}`;
  }
}
