// One uPlot drawing: a line for each series, and a second, smoothed one above it.
import uPlot from "../vendor/uplot.js";
import { showDuration } from "./numbers.js";
import { once } from "./painted.js";
import { smoothed } from "./smoothing.js";

const FONT = '11px "Inter Deck", system-ui, sans-serif';
const FAINT = "55";
const FEW = 60;
const MOST = 1e300;
const LEAST = 1e-300;
const MOST_TICKS = 200;
const DIGITS = 15;
const PADDING = 0.1;
const TINIEST = 1e-25;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const compact = once(() => new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }));

function tick(value) {
  const size = Math.abs(value);
  if (value === null || value === 0) return value === null ? "" : "0";
  if (size < 1e-3 || size >= 1e6) return Number(value.toPrecision(3)).toExponential().replace("e+", "e");
  return size >= 1000 ? compact().format(value) : String(Number(value.toPrecision(4)));
}

const stepTick = (value) => (Math.abs(value) < 1e15 ? compact().format(value) : tick(value));

// uPlot's own function adds an increment until the end, and never finishes if the sum is rounded to the old value.
function splits(_plot, _axis, min, max, increment) {
  const made = [];
  const first = Math.ceil(min / increment);
  const count = Math.min(Math.floor(max / increment) - first + 1, MOST_TICKS);
  for (let turn = 0; turn < count; turn += 1) {
    const exact = (first + turn) * increment;
    const value = Number.isInteger(exact) ? exact + 0 : Number(exact.toPrecision(DIGITS));
    if (value !== made.at(-1)) made.push(value);
  }
  return made;
}

// Around a constant, uPlot's own range is as large as the value, and from 0 to 100 around 0.
function around(_plot, min, max) {
  if (min === null) return [null, null];
  if (min !== max) return uPlot.rangeNum(min, max, PADDING, true);
  const size = Math.abs(min);
  const padding = size < TINIEST ? PADDING : size * PADDING;
  return [min - padding, max + padding];
}

function axis(extra) {
  return {
    stroke: () => color("--chart-axis"),
    grid: { stroke: () => color("--chart-grid"), width: 1 },
    ticks: { show: false },
    font: FONT,
    ...extra,
  };
}

function line(extra) {
  return { spanGaps: false, points: { size: 5, space: 0, show: (plot, index) => plot.data[index].length <= FEW }, ...extra };
}

// `drawn` has the name of the color token of a line, and its dashes.
function lines(drawn, smooth) {
  return drawn.flatMap(({ colour, dash }) => [
    line({ stroke: () => color(colour) + (smooth ? FAINT : ""), width: smooth ? 1 : 1.6, dash }),
    line({ stroke: () => color(colour), width: 2, dash, show: smooth, points: { show: false } }),
  ]);
}

function options(settings, size, drawn, onPoint) {
  const overTime = settings.axis === "time";
  return {
    ...size,
    padding: [10, 10, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "scalars", scales: ["x", null] }, y: false, points: { size: 7 }, drag: { x: true, y: false } },
    scales: { x: { time: false }, y: settings.logScale ? { distr: 3 } : { range: around } },
    axes: [
      axis({ size: 26, gap: 4, space: 60, splits, values: (_, ticks) => ticks.map(overTime ? showDuration : stepTick) }),
      axis({ size: 48, gap: 4, space: 34, ...(settings.logScale ? {} : { splits }), values: (_, ticks) => ticks.map(tick) }),
    ],
    series: [{}, ...lines(drawn, settings.smoothing > 0)],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

// Return the step that is drawn at 0: the first one if a step is too large for a number, else null.
export function stepOrigin(several) {
  const ends = several.flatMap(({ steps }) => [steps[0], steps.at(-1)]);
  if (!ends.some((step) => typeof step === "bigint")) return null;
  return BigInt(ends.reduce((least, step) => (step < least ? step : least)));
}

// The limits within which uPlot can add padding and take logarithms.
function drawable(value, logScale) {
  if (value === null || (logScale && value <= 0)) return null;
  return Math.min(Math.max(value, logScale ? LEAST : -MOST), MOST);
}

function table(series, settings, origin) {
  const start = series.wall_times[0];
  const steps = origin === null ? series.steps : series.steps.map((step) => Number(BigInt(step) - origin));
  const x = settings.axis === "time" ? series.wall_times.map((at) => at - start) : steps;
  const values = series.values.map((value) => drawable(value, settings.logScale));
  return [x, values, settings.smoothing > 0 ? smoothed(values, settings.smoothing) : values];
}

// x has the points of all series; a series without a point there is undefined, which is not a gap.
export function plotData(several, settings) {
  const origin = stepOrigin(several);
  const tables = several.map((series) => table(series, settings, origin));
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}

export function drawPlot(box, data, drawn, settings, onPoint) {
  const size = { width: box.clientWidth, height: box.clientHeight };
  return new uPlot(options(settings, size, drawn, onPoint), data, box);
}
