// The dialog that imports folders of event files. One request reads for some seconds: the same request again continues.
import { sendJson } from "./api.js";
import { counted } from "./numbers.js";
import { refresh } from "./refresh.js";
import { splitTags } from "./request.js";
import { toast } from "./toast.js";

const [dialog, form, wrong, note, go] = ["import-dialog", "import-form", "import-error", "import-note", "import-go"].map((id) => document.getElementById(id));
let running;

function body() {
  const { path, tags, copy } = form.elements;
  return { path: path.value.trim(), tags: splitTags(tags.value), copy: copy.checked };
}

async function importAll(asked, signal) {
  const counts = { created: 0, refreshed: 0 };
  for (;;) {
    const view = await sendJson("POST", "/imports", asked, {}, signal);
    counts.created += view.created;
    counts.refreshed += view.refreshed;
    refresh();
    if (!view.left) return { ...view, ...counts };
    note.textContent = `${view.runs.length} read, ${view.left} to go…`;
  }
}

function told({ runs, created, refreshed, complete }) {
  const rest = runs.length - created - refreshed;
  const parts = [created && `${created} new`, refreshed && `${refreshed} with new data`, rest && `${rest} unchanged`].filter(Boolean);
  const more = complete ? "" : " There is more than one import takes: import the folders below one by one.";
  return `${counted(runs.length, "run")}: ${parts.join(", ") || "nothing"}.${more}`;
}

function refuse(text) {
  wrong.textContent = text;
  wrong.hidden = !text;
}

async function start() {
  running = new AbortController();
  refuse("");
  note.textContent = "Reading…";
  go.setAttribute("aria-busy", "true");
  go.disabled = true;
  try {
    const view = await importAll(body(), running.signal);
    note.textContent = told(view);
    refuse(view.problems.join("\n"));
    if (!view.problems.length && view.complete) {
      dialog.close();
      toast(told(view));
    }
  } catch (problem) {
    note.textContent = "";
    if (problem.name !== "AbortError") refuse(problem.errors?.map((each) => each.message).join(" ") || problem.message);
  }
  go.disabled = false;
  go.removeAttribute("aria-busy");
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-import]")) return;
  refuse("");
  note.textContent = "";
  dialog.showModal();
});
document.getElementById("import-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => running?.abort());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!go.disabled) start();
});
