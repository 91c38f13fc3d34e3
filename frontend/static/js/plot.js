// One uPlot drawing of one series.
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

function options(settings, size, onPoint) {
  const overTime = settings.axis === "time";
  const smooth = settings.smoothing > 0;
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
    series: [
      {},
      line({ stroke: () => color("--chart-1") + (smooth ? FAINT : ""), width: smooth ? 1 : 1.6 }),
      line({ stroke: () => color("--chart-1"), width: 2, show: smooth, points: { show: false } }),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

export function plotData(series, settings) {
  const start = series.wall_times[0];
  const x = settings.axis === "time" ? series.wall_times.map((at) => at - start) : series.steps;
  const drawable = settings.logScale ? series.values.map((value) => (value > 0 ? value : null)) : series.values;
  return [x, drawable, settings.smoothing > 0 ? smoothed(drawable, settings.smoothing) : drawable];
}

export function drawPlot(box, series, settings, onPoint) {
  const size = { width: box.clientWidth, height: box.clientHeight };
  return new uPlot(options(settings, size, onPoint), plotData(series, settings), box);
}
