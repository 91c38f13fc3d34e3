// The launch form: what it says is what the curl line says, and what is sent.
import { sendJson } from "./api.js";
import { startCurl } from "./curl.js";
import { FormErrors } from "./form-errors.js";
import { ParamField } from "./param-field.js";
import { requestBody } from "./request.js";
import { startScript } from "./script-mode.js";
import { startTabs } from "./tabs.js";

const get = (id) => document.getElementById(id);
const form = get("launch");
const fields = [...form.querySelectorAll("[data-param]")].map((element) => new ParamField(element));
const errors = new FormErrors(form, get("form-error"));
const showCurl = startCurl();
// A second press, or a retry after a lost answer, must not launch a second run: one key for one filled-in form.
let key = null;

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

function showChanges() {
  const changed = form.dataset.mode === "trainer" ? fields.filter((field) => field.changed() && field.defaultJson !== "") : [];
  get("reset-all").hidden = changed.length === 0;
  get("changes").textContent = form.dataset.mode === "trainer" ? told(changed) : "";
}

function told(changed) {
  const names = (some) => some.map((field) => field.name).join(", ");
  const required = fields.filter((field) => field.required);
  const missing = required.filter((field) => field.json() === undefined);
  if (missing.length) return `Still needed: ${names(missing)}`;
  if (changed.length) return `Changed: ${names(changed)}`;
  return required.length ? "All other parameters are at their defaults." : "All parameters are at their defaults.";
}

function update() {
  fields.forEach((field) => field.update());
  showChanges();
  showCurl(requestBody(form, fields));
  key = null;
}

function complaints() {
  if (form.dataset.mode !== "trainer") return [];
  return fields.map((field) => ({ field: `params.${field.name}`, message: field.complaint() })).filter((each) => each.message);
}

async function submit() {
  const wrong = complaints();
  errors.show(wrong);
  if (wrong.length) return;
  const button = get("submit");
  button.setAttribute("aria-busy", "true");
  key ??= newKey();
  try {
    const run = await sendJson("POST", "/runs", requestBody(form, fields), { "Idempotency-Key": key });
    location.assign(`/runs/${run.id}`);
  } catch (problem) {
    errors.show(problem.errors, problem.message);
    button.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", (event) => {
  errors.clear(event.target.closest("[data-field]"));
  update();
});
form.addEventListener("focusout", (event) => {
  const field = fields.find((each) => each.input === event.target);
  if (field) errors.put(field.element, field.complaint());
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (get("submit").getAttribute("aria-busy") !== "true") submit();
});
get("reset-all").addEventListener("click", () => {
  fields.filter((field) => field.changed()).forEach((field) => field.reset());
});
for (const mode of ["trainer", "script"]) {
  get(`panel-${mode}`).addEventListener("deck:shown", () => {
    form.dataset.mode = mode;
    errors.show([]);
    update();
  });
}
startScript(update);
startTabs(get("modes"));
update();
