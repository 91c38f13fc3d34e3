// The request of the form: a new run, or the repeat of one. Values at their defaults are left out.
import { keepsCode, scriptArgs, scriptBody } from "./script-body.js";

const MASK = "***";
const now = (id) => document.getElementById(id).value;
const before = (id) => document.getElementById(id).defaultValue;

export function splitTags(value) {
  return value.split(",").map((tag) => tag.trim()).filter(Boolean);
}

function environment(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return Object.fromEntries(lines.map((line) => [line.slice(0, (line.indexOf("=") + 1 || line.length + 1) - 1).trim(), line.includes("=") ? line.slice(line.indexOf("=") + 1) : ""]));
}

const common = (read) => ({
  name: read("common-name").trim(),
  tags: splitTags(read("common-tags")),
  notes: read("common-notes"),
  priority: Number(read("common-priority") || 0),
  env: environment(read("common-env")),
  max_retries: Number(read("common-max_retries") || 0),
});

const resources = (read) => ({ cpus: Number(read("common-resources-cpus") || 0), gpus: Number(read("common-resources-gpus") || 0) });

const filled = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => (value !== null && typeof value === "object" ? Object.keys(value).length : value)));

// Return the differences between two objects with the values of the second; null for missing keys.
function difference(was, is) {
  const names = Object.keys({ ...was, ...is }).filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]));
  return Object.fromEntries(names.map((name) => [name, is[name] ?? null]));
}

function newBody(form, set, upload) {
  const params = set.params();
  const args = form.dataset.mode === "script" ? scriptArgs() : [];
  const script = () => ({ script: { ...scriptBody(upload), ...(args.length && { args }) } });
  const what = form.dataset.mode === "script" ? script() : { trainer: form.dataset.trainer };
  const { cpus, gpus } = resources(now);
  return { ...what, ...(Object.keys(params).length && { params }), ...filled(common(now)), ...(cpus === 1 && gpus === 0 ? {} : { resources: { cpus, gpus } }) };
}

function repeatBody(form, set, keptArgs) {
  const { env: envNow, ...is } = common(now);
  const { env: envBefore, ...was } = common(before);
  const changes = difference(was, is);
  // A run always has a name: an empty name keeps the old one.
  if (!changes.name) delete changes.name;
  const args = scriptArgs();
  const otherArgs = form.dataset.mode === "script" && JSON.stringify(args) !== JSON.stringify(keptArgs);
  // Then all arguments are sent again, including the values of all fields.
  const params = otherArgs ? set.all() : set.params();
  const apart = { params, resources: difference(resources(before), resources(now)), env: difference(envBefore, envNow) };
  return { ...changes, ...filled(apart), ...(otherArgs && { args }) };
}

// Return the address and the body of the request.
export function request(form, set, { upload, keptArgs }) {
  const repeated = form.dataset.repeats && (form.dataset.mode === "trainer" || keepsCode());
  return repeated
    ? { url: `/runs/${form.dataset.repeats}/rerun`, body: repeatBody(form, set, keptArgs), repeats: form.dataset.repeats }
    : { url: "/runs", body: newBody(form, set, upload) };
}

// A repeat can keep a value that the page does not know, but a new run cannot send it.
export function hiddenVariable(body) {
  return Object.entries(body.env ?? {}).find(([, value]) => value?.includes(MASK))?.[0];
}
