// The points of a run's scalars: loaded in batches, later only new ones. A bounded number of series is kept.
import { call } from "./api.js";

const POINTS = 800;
const BATCH = 16;
const KEPT = 400;
const LARGE = /[[,]-?\d{16,}[\],]/;
const WHOLE = /^-?\d+$/;

function batches(tags) {
  const made = [];
  for (let at = 0; at < tags.length; at += BATCH) made.push(tags.slice(at, at + BATCH));
  return made;
}

// Steps have 64 bits. Steps that a number would round become BigInts if the browser gives a reviver the source text.
function unrounded(_, value, context) {
  const source = context?.source;
  return typeof value === "number" && !Number.isSafeInteger(value) && WHOLE.test(source ?? "") ? BigInt(source) : value;
}

async function getScalars(url) {
  const text = await (await call(url)).text();
  return JSON.parse(text, LARGE.test(text) ? unrounded : undefined);
}

// A resumed attempt writes its steps again: later points replace earlier ones, so x stays ascending.
function append(series, more) {
  const first = more.steps[0];
  let end = series.steps.length;
  while (end && series.steps[end - 1] >= first) end -= 1;
  for (const name of ["steps", "values", "wall_times"]) {
    series[name].length = end;
    series[name].push(...more[name]);
  }
}

function ascending(fresh) {
  const series = { tag: fresh.tag, steps: [], values: [], wall_times: [], cursor: fresh.cursor };
  for (let at = 0; at < fresh.steps.length; at += 1) {
    append(series, { steps: [fresh.steps[at]], values: [fresh.values[at]], wall_times: [fresh.wall_times[at]] });
  }
  return series;
}

export class Scalars {
  // `attempt` is a number as text, or "" for the current one.
  constructor(url, attempt) {
    Object.assign(this, { url: `${url}/scalars`, attempt, series: new Map(), tags: [], problems: null });
  }

  address(query = []) {
    return `${this.url}?${new URLSearchParams(this.attempt ? [...query, ["attempt", this.attempt]] : query)}`;
  }

  get(tag) {
    return this.series.get(tag);
  }

  async loadTags() {
    await this.ask([]);
  }

  async ask(query) {
    const answer = await getScalars(this.address([...query, ["known", this.tags.length]]));
    this.tags = answer.tags ?? this.tags;
    this.problems = answer.problems;
    return answer;
  }

  // Load the new points of the given tags.
  async load(tags) {
    const known = tags.filter((tag) => this.series.has(tag));
    const fresh = tags.filter((tag) => !this.series.has(tag));
    await Promise.all([...batches(fresh).map((some) => this.begin(some)), ...batches(known).map((some) => this.goOn(some))]);
    while (this.series.size > Math.max(KEPT, tags.length)) this.series.delete(this.series.keys().next().value);
  }

  async begin(tags) {
    const answer = await this.ask([...tags.map((tag) => ["tag", tag]), ["points", POINTS]]);
    for (const each of answer.series) this.series.set(each.tag, ascending(each));
  }

  async goOn(tags) {
    const since = tags.map((tag) => this.series.get(tag).cursor).join(",");
    const answer = await this.ask([...tags.map((tag) => ["tag", tag]), ["since", since]]);
    for (const each of answer.series) this.extend(each);
  }

  extend(more) {
    const series = this.series.get(more.tag);
    if (!series) return;
    // Fewer points than before: the run started again. Many more: the server samples them better than the page.
    const anew = more.cursor < series.cursor || series.steps.length > 3 * POINTS;
    if (anew) this.series.delete(more.tag);
    else if (more.steps.length) append(series, more);
    series.cursor = more.cursor;
  }
}
