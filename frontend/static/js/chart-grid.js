// Many charts, of which only those in view are loaded and drawn.
import { Chart } from "./chart.js";
import { settings } from "./chart-settings.js";
import { visible } from "./visible.js";

const MARGIN = "300px 0px";

export class ChartGrid {
  // `make` gives the chart of a tag.
  constructor(box, { grouped, onNeed, make = (tag) => new Chart(tag, settings) }) {
    Object.assign(this, { box, grouped, onNeed, make, charts: new Map(), visible: new Set(), groups: new Map() });
    this.observer = new IntersectionObserver((entries) => this.moved(entries), { rootMargin: MARGIN });
    document.addEventListener("deck:chart-settings", () => this.redraw());
    document.addEventListener("deck:theme", () => this.redraw());
  }

  moved(entries) {
    for (const { target, isIntersecting } of entries) {
      const chart = target.chart;
      if (isIntersecting) this.visible.add(chart);
      else if (this.visible.delete(chart)) chart.hide();
    }
    if (this.visible.size) this.onNeed();
  }

  // A tag that comes later goes to the end, wherever it ranks: what is being looked at stays where it is.
  setTags(tags) {
    const wanted = new Set(tags);
    for (const tag of this.charts.keys()) if (!wanted.has(tag)) this.remove(tag);
    for (const tag of tags) if (!this.charts.has(tag)) this.add(tag);
    for (const group of this.groups.values()) group.count.textContent = group.grid.childElementCount;
  }

  add(tag) {
    const chart = this.make(tag);
    chart.element.chart = chart;
    this.charts.set(tag, chart);
    if (this.grouped) this.group(tag).grid.append(chart.element);
    else this.box.append(chart.element);
    this.observer.observe(chart.element);
  }

  remove(tag) {
    const chart = this.charts.get(tag);
    this.observer.unobserve(chart.element);
    this.visible.delete(chart);
    chart.hide();
    chart.element.remove();
    this.charts.delete(tag);
  }

  // Tags are grouped by what stands before their first slash, as TensorBoard does; those without one together.
  group(tag) {
    const name = tag.includes("/") ? tag.slice(0, tag.indexOf("/")) : "Single values";
    if (this.groups.has(name)) return this.groups.get(name);
    const [section, title, text, count, grid] = ["section", "h2", "bdi", "span", "div"].map((kind) => document.createElement(kind));
    section.className = "chart-group";
    grid.className = "chart-grid";
    count.className = "num";
    text.textContent = visible(name);
    title.append(text, count);
    section.append(title, grid);
    if (tag.includes("/")) this.box.append(section);
    else this.box.prepend(section);
    this.groups.set(name, { section, grid, count });
    return this.groups.get(name);
  }

  clear() {
    this.setTags([]);
    for (const { section } of this.groups.values()) section.remove();
    this.groups.clear();
  }

  needed() {
    return [...this.visible].filter((chart) => !chart.element.hidden).map((chart) => chart.tag);
  }

  update(scalars) {
    for (const chart of this.visible) chart.show(scalars.get(chart.tag));
  }

  redraw() {
    for (const chart of this.visible) chart.redraw();
  }

  filter(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element } of this.charts.values()) {
      element.hidden = !words.every((word) => element.dataset.tag.includes(word));
      count += element.hidden ? 0 : 1;
    }
    for (const { section, grid } of this.groups.values()) section.hidden = !grid.querySelector(".chart:not([hidden])");
    return count;
  }
}
