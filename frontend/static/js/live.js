// The one event stream of the page. It dispatches events on the document: deck:run with the run, deck:deleted with
// {id}, and deck:back after an interruption.
import { refresh } from "./refresh.js";

const REOPEN_MS = 2000;
const QUIET_MS = 1200;
let source;
let trouble;

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

function interrupted() {
  trouble ??= setTimeout(() => (document.getElementById("connection").hidden = false), QUIET_MS);
  if (source.readyState === EventSource.CLOSED) setTimeout(open, REOPEN_MS);
}

// Also the first time: the stream has no changes between the rendering of the page and its own start.
function connected() {
  refresh();
  if (!trouble) return;
  clearTimeout(trouble);
  trouble = undefined;
  document.getElementById("connection").hidden = true;
  tell("deck:back");
}

function open() {
  source?.close();
  source = new EventSource(document.body.dataset.events);
  source.addEventListener("open", connected);
  source.addEventListener("error", interrupted);
  source.addEventListener("run", (event) => {
    tell("deck:run", JSON.parse(event.data));
    refresh();
  });
  source.addEventListener("deleted", (event) => {
    tell("deck:deleted", JSON.parse(event.data));
    refresh();
  });
}

export function startLive() {
  if (!document.body.dataset.events) return;
  open();
  // A page in the back/forward cache must not hold one of the few connections of the browser.
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    open();
    refresh();
  });
}
