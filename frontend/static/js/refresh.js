// Load the fragment of this page and morph it in: at most once per second, one at a time, never while hidden.
import htmx from "../vendor/htmx.js";
import { toastOnTheNextPage } from "./toast.js";

const SPACING_MS = 1000;
let wanted = false;
let running = false;
let timer;
let last = -SPACING_MS;
let left = false;

const address = () => location.pathname + location.search;

export function refresh() {
  wanted = true;
  schedule();
}

// Leave a page whose subject was deleted: the page of a run for the list, any other page for the new response of the
// server. Several parts of a page notice a deletion; only the first may navigate, because a second navigation would
// cancel the first.
export function leave() {
  if (left) return;
  left = true;
  const run = document.getElementById("run");
  if (!run) return location.reload();
  toastOnTheNextPage(`Run #${run.dataset.run} was deleted.`);
  location.replace("/runs");
}

function schedule() {
  if (!wanted || running || timer || document.hidden || left) return;
  timer = setTimeout(run, Math.max(0, last + SPACING_MS - performance.now()));
}

async function run() {
  timer = undefined;
  if (document.hidden) return;
  [wanted, running, last] = [false, true, performance.now()];
  try {
    await swapIn(address());
  } catch {
    // The server is away: the event stream triggers the next refresh when it is back.
  }
  running = false;
  schedule();
}

async function swapIn(asked) {
  const response = await fetch(asked, { headers: { "HX-Request": "true", Accept: "text/html" } });
  const text = await response.text();
  if (response.status === 404) leave();
  if (!response.ok || !text.includes("<hx-partial")) return;
  // A filter that was typed meanwhile has its own response, which this one must not overwrite.
  if (asked !== address()) refresh();
  else await htmx.swap({ text, swap: "none", target: document.body, sourceElement: document.body });
}

export function startRefresh() {
  document.addEventListener("visibilitychange", schedule);
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.title) document.title = event.detail.ctx.title;
  });
}
