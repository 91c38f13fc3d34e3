// The page's one event stream. Everything else listens to the events it dispatches on the document:
// deck:run with the run, deck:deleted with {id}, deck:back after an interruption.
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

// Also the first time: what changed between rendering the page and opening the stream was told to nobody.
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
  // A page kept for going back must not hold one of the browser's few connections.
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    open();
    refresh();
  });
}
