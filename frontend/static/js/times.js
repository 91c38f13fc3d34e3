// Show every time in the zone of the reader, and update the durations of active runs.
import { showDuration } from "./numbers.js";
import { afterPaint, once } from "./painted.js";

const TICK_MS = 1000;
const WEEK_SECONDS = 7 * 86400;
const local = once(() => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }));
const absolute = (at) => `${local().format(at)} · ${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
const day = once(() => new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }));
const dayOfYear = once(() => new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" }));

// Use the clock of the server: a run must not start in the future of this machine.
const skewMs = Date.parse(document.body.dataset.now) - performance.timeOrigin - performance.now();
const toleratedMs = 5000;
const now = () => Date.now() + (Math.abs(skewMs) > toleratedMs ? skewMs : 0);

export function showRelative(at) {
  const seconds = (now() - at) / 1000;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ago`;
  if (seconds < WEEK_SECONDS) return `${Math.floor(seconds / 86400)}d ago`;
  const date = new Date(at);
  return (date.getFullYear() === new Date(now()).getFullYear() ? day() : dayOfYear()).format(date);
}

const times = () => document.querySelectorAll("time[data-relative], time[data-since], time[data-countdown]");

function put(element, name, text) {
  if (element[name] !== text) element[name] = text;
}

function showCountdown(at) {
  const seconds = Math.ceil((at - now()) / 1000);
  return seconds > 0 ? `in ${showDuration(seconds)}` : "now";
}

function showText(element) {
  if (element.dataset.since) {
    const until = element.dataset.until ? Date.parse(element.dataset.until) : now();
    put(element, "textContent", showDuration((until - Date.parse(element.dataset.since)) / 1000));
  } else {
    const at = Date.parse(element.dateTime);
    put(element, "textContent", "countdown" in element.dataset ? showCountdown(at) : showRelative(at));
  }
}

function showTitle(element) {
  const { since } = element.dataset;
  put(element, "title", since ? `Started ${absolute(Date.parse(since))}` : absolute(Date.parse(element.dateTime)));
}

export function updateTimes() {
  times().forEach(showText);
  times().forEach(showTitle);
}

export function startTimes() {
  times().forEach(showText);
  afterPaint(updateTimes);
  document.addEventListener("htmx:after:swap", updateTimes);
  setInterval(() => document.hidden || updateTimes(), TICK_MS);
}
