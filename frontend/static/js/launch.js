// The launch form: the form, the curl command and the request agree.
import { sendJson } from "./api.js";
import { FormErrors } from "./form-errors.js";
import { Options, startFilter } from "./options.js";
import { ParamSet } from "./param-set.js";
import { hiddenVariable, request } from "./request.js";
import { keepsCode, scriptBody, scriptComplaints, way } from "./script-body.js";
import { startTabs } from "./tabs.js";
import { startTerminal } from "./terminal.js";
import { Upload } from "./upload.js";
import { startWays } from "./ways.js";

const get = (id) => document.getElementById(id);
const form = get("launch");
const trainer = new ParamSet(get("panel-trainer"));
const script = new ParamSet(get("options"));
const errors = new FormErrors(form, get("form-error"));
const upload = new Upload(errors, () => {
  update();
  options.want();
});
const options = new Options({ set: script, errors, asked, changed: update });
const showCommand = startTerminal(update);
// A second press, or a retry after a lost response, must not launch a second run: use one key for one filled-in form.
let key = null;

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const isScript = () => form.dataset.mode === "script";
const set = () => (isScript() ? script : trainer);
const asRequest = () => request(form, set(), { upload, keptArgs: options.keptArgs });

// Return the script whose options are requested: none if it is not named yet, or is a command.
function asked() {
  if (!isScript()) return null;
  if (keepsCode()) return { run: Number(form.dataset.repeats) };
  return way() === "command" || scriptComplaints(upload).length ? null : { script: scriptBody(upload) };
}

function showChanges() {
  const changed = set().changed().filter((field) => field.defaultJson !== "");
  get("reset-all").hidden = changed.length === 0;
  get("changes").textContent = isScript() && !script.fields.length ? "" : told(changed);
}

function told(changed) {
  const names = (some) => some.map((field) => field.name).join(", ");
  const required = set().there().filter((field) => field.required);
  const missing = required.filter((field) => field.json() === undefined);
  if (missing.length) return `Required: ${names(missing)}`;
  if (changed.length) return `Changed: ${names(changed)}`;
  if (form.dataset.repeats) return `All parameters are those of run ${form.dataset.repeats}.`;
  return required.length ? "All other parameters are at their defaults." : "All parameters are at their defaults.";
}

function update() {
  trainer.update();
  script.update();
  showChanges();
  showCommand(asRequest(), set(), upload);
  key = null;
}

function complaints() {
  const wrong = [...(isScript() ? scriptComplaints(upload) : []), ...set().complaints()];
  const { body, repeats } = asRequest();
  const hidden = repeats ? undefined : hiddenVariable(body);
  return hidden ? [...wrong, { field: "env", message: `The value of ${hidden} is hidden here. Enter it, or remove the line.` }] : wrong;
}

// A repeat has no script of its own; the form has one field for the arguments of both.
const placed = (error) => (error.field === "args" ? { ...error, field: "script.args" } : error);

async function submit() {
  const wrong = complaints();
  errors.show(wrong);
  if (wrong.length) return;
  const button = get("submit");
  button.setAttribute("aria-busy", "true");
  key ??= newKey();
  const { url, body } = asRequest();
  try {
    const run = await sendJson("POST", url, body, { "Idempotency-Key": key });
    location.assign(`/runs/${run.id}`);
  } catch (problem) {
    errors.show(problem.errors.map(placed), problem.message);
    button.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", (event) => {
  errors.clear(event.target.closest("[data-field]"));
  update();
  if (event.target.closest("#anew")) options.schedule();
});
form.addEventListener("change", (event) => {
  if (event.target.closest("#anew, .repeated")) options.want();
});
form.addEventListener("focusout", (event) => {
  const field = set().fields.find((each) => each.input === event.target);
  if (field) errors.put(field.element, field.complaint());
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (get("submit").getAttribute("aria-busy") !== "true") submit();
});
get("reset-all").addEventListener("click", () => {
  set().fields.filter((field) => field.changed() && field.defaultJson !== "").forEach((field) => field.reset());
});
for (const mode of ["trainer", "script"]) {
  get(`panel-${mode}`).addEventListener("deck:shown", () => {
    form.dataset.mode = mode;
    errors.show([]);
    update();
    options.look();
  });
}
startWays(form, update);
startFilter(script);
options.look();
if (get("modes")) startTabs(get("modes"));
update();
