// One uPlot drawing: a line for each series, and above it, smoothed, a second one.
import uPlot from "../vendor/uplot.js";
import { showDuration } from "./numbers.js";
import { smoothed } from "./smoothing.js";

const FONT = '11px "Inter Deck", system-ui, sans-serif';
const FAINT = "55";
const FEW = 60;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

function tick(value) {
  const size = Math.abs(value);
  if (value === null || value === 0) return value === null ? "" : "0";
  if (size < 1e-4 || size >= 1e6) return value.toExponential(1).replace("e+", "e").replace(".0e", "e");
  return size >= 1000 ? compact.format(value) : String(Number(value.toPrecision(4)));
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

// `drawn` is a line's colour, by the name of its token, and how it is dashed.
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
    scales: { x: { time: false }, y: { distr: settings.logScale ? 3 : 1 } },
    axes: [
      axis({ size: 26, gap: 4, space: 60, values: (_, ticks) => ticks.map((at) => (overTime ? showDuration(at) : compact.format(at))) }),
      axis({ size: 48, gap: 4, space: 34, values: (_, ticks) => ticks.map(tick) }),
    ],
    series: [{}, ...lines(drawn, settings.smoothing > 0)],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

function table(series, settings) {
  const start = series.wall_times[0];
  const x = settings.axis === "time" ? series.wall_times.map((at) => at - start) : series.steps;
  const drawable = settings.logScale ? series.values.map((value) => (value > 0 ? value : null)) : series.values;
  return [x, drawable, settings.smoothing > 0 ? smoothed(drawable, settings.smoothing) : drawable];
}

// Of several series, x is where any has a point; a series that has none there is undefined there, which is no gap.
export function plotData(several, settings) {
  const tables = several.map((series) => table(series, settings));
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}

export function drawPlot(box, data, drawn, settings, onPoint) {
  const size = { width: box.clientWidth, height: box.clientHeight };
  return new uPlot(options(settings, size, drawn, onPoint), data, box);
}
