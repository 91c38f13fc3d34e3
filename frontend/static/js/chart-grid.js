// Many charts: create the first ones, create more on scroll, and load and draw only those in view.
import { Chart } from "./chart.js";
import { settings } from "./chart-settings.js";
import { counted } from "./numbers.js";
import { visible } from "./visible.js";

const MARGIN = "300px 0px";
const MORE_MARGIN = "1500px 0px";
const AT_ONCE = 96;
const SINGLE = "Single values";

// Group tags by the text before their first slash, as TensorBoard does. Tags without a slash form the first group.
function groupsOf(tags) {
  const groups = new Map([[SINGLE, []]]);
  for (const tag of tags) {
    const name = tag.includes("/") ? tag.slice(0, tag.indexOf("/")) : SINGLE;
    if (groups.has(name)) groups.get(name).push(tag);
    else groups.set(name, [tag]);
  }
  return groups;
}

// Put elements into a place in order, without moving those that are already correct.
function arrange(place, elements) {
  elements.forEach((element, at) => {
    if (place.children[at] !== element) place.insertBefore(element, place.children[at] ?? null);
  });
}

export class ChartGrid {
  // `make` returns the chart of a tag.
  constructor(box, { grouped, onNeed, make = (tag) => new Chart(tag, settings()) }) {
    Object.assign(this, { box, grouped, onNeed, make, charts: new Map(), visible: new Set(), sections: new Map() });
    Object.assign(this, { tags: new Set(), groups: new Map(), words: [], limit: AT_ONCE });
    this.observer = new IntersectionObserver((entries) => this.moved(entries), { rootMargin: MARGIN });
    this.more = Object.assign(document.createElement("p"), { className: "charts-more num" });
    this.end = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && this.grow(), { rootMargin: MORE_MARGIN });
    document.addEventListener("deck:chart-settings", () => this.redraw());
    document.addEventListener("deck:theme", () => this.redraw());
  }

  moved(entries) {
    for (const { target, isIntersecting } of entries) {
      const chart = target.chart;
      if (isIntersecting && this.charts.get(chart.tag) === chart) this.visible.add(chart);
      else if (this.visible.delete(chart)) chart.hide();
    }
    if (this.visible.size) this.onNeed();
  }

  // Add a later tag at the end of its group, whatever its rank, so that the charts in view do not move.
  setTags(tags) {
    const wanted = new Set(tags);
    const known = [...this.tags].filter((tag) => wanted.has(tag));
    if (known.length === this.tags.size && wanted.size === this.tags.size) return;
    this.tags = new Set([...known, ...tags]);
    this.groups = this.grouped ? groupsOf(this.tags) : new Map([["", [...this.tags]]]);
    this.render();
  }

  // Return the number of tags that contain all words of the query.
  filter(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.join(" ") !== this.words.join(" ")) {
      Object.assign(this, { words, limit: AT_ONCE });
      this.render();
    }
    return this.count;
  }

  grow() {
    this.limit += AT_ONCE;
    this.render();
  }

  clear() {
    this.limit = AT_ONCE;
    this.setTags([]);
  }

  render() {
    const shown = this.first();
    const wanted = new Set([...shown.values()].flat());
    for (const tag of this.charts.keys()) if (!wanted.has(tag)) this.remove(tag);
    if (this.grouped) this.arrangeSections(shown);
    for (const [name, tags] of shown) {
      arrange(
        this.grouped ? this.section(name).grid : this.box,
        tags.map((tag) => this.chart(tag).element),
      );
    }
    this.offerMore(this.count - wanted.size);
  }

  // Return the first matching tags, up to the limit, by their groups. Count all matching tags.
  first() {
    const shown = new Map();
    this.count = 0;
    for (const [name, tags] of this.groups) {
      const matching = this.words.length ? tags.filter((tag) => this.matches(tag)) : tags;
      const some = matching.slice(0, Math.max(this.limit - this.count, 0));
      if (some.length) shown.set(name, some);
      this.count += matching.length;
    }
    return shown;
  }

  matches(tag) {
    const text = tag.toLowerCase();
    return this.words.every((word) => text.includes(word));
  }

  chart(tag) {
    if (this.charts.has(tag)) return this.charts.get(tag);
    const chart = this.make(tag);
    chart.element.chart = chart;
    this.charts.set(tag, chart);
    this.observer.observe(chart.element);
    return chart;
  }

  remove(tag) {
    const chart = this.charts.get(tag);
    this.observer.unobserve(chart.element);
    this.visible.delete(chart);
    chart.hide();
    chart.element.remove();
    this.charts.delete(tag);
  }

  arrangeSections(shown) {
    for (const [name, { section }] of this.sections) {
      if (shown.has(name)) continue;
      section.remove();
      this.sections.delete(name);
    }
    arrange(
      this.box,
      [...shown.keys()].map((name) => this.section(name).section),
    );
    for (const name of shown.keys()) this.section(name).count.textContent = this.groups.get(name).length;
  }

  section(name) {
    if (this.sections.has(name)) return this.sections.get(name);
    const [section, title, text, count, grid] = ["section", "h2", "bdi", "span", "div"].map((kind) => document.createElement(kind));
    section.className = "chart-group";
    grid.className = "chart-grid";
    count.className = "num";
    text.textContent = visible(name);
    title.append(text, count);
    section.append(title, grid);
    this.sections.set(name, { section, grid, count });
    return this.sections.get(name);
  }

  // Observe the charts again each time: the observer does not report a chart twice that stays in view.
  offerMore(left) {
    this.end.disconnect();
    this.more.remove();
    if (left <= 0) return;
    this.more.textContent = `${counted(left, "more chart")} below`;
    this.box.append(this.more);
    this.end.observe(this.more);
  }

  needed() {
    return [...this.visible].map((chart) => chart.tag);
  }

  update(scalars) {
    for (const chart of this.visible) chart.show(scalars.get(chart.tag));
  }

  redraw() {
    for (const chart of this.visible) chart.redraw();
  }
}
