// The body of POST /runs that the form stands for. What is at its default is left out.
import { splitWords } from "./shell-words.js";

const text = (id) => document.getElementById(id).value;
const number = (id) => Number(text(id) || 0);

export function splitTags(value) {
  return value.split(",").map((tag) => tag.trim()).filter(Boolean);
}

function params(fields) {
  return Object.fromEntries(fields.filter((field) => field.changed()).map((field) => [field.name, JSON.parse(field.json())]));
}

function script() {
  const args = splitWords(text("script-args"));
  const pasted = document.querySelector("[name=from]:checked").value === "source";
  const given = pasted ? { source: text("script-source"), filename: text("script-filename") } : { path: text("script-path").trim() };
  return args.length ? { ...given, args } : given;
}

function environment() {
  const lines = text("common-env").split("\n").filter((line) => line.trim());
  return Object.fromEntries(lines.map((line) => [line.slice(0, (line.indexOf("=") + 1 || line.length + 1) - 1).trim(), line.includes("=") ? line.slice(line.indexOf("=") + 1) : ""]));
}

function common() {
  const given = {
    name: text("common-name").trim(),
    tags: splitTags(text("common-tags")),
    notes: text("common-notes"),
    priority: number("common-priority"),
    env: environment(),
    max_retries: number("common-max_retries"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => (typeof value === "object" ? Object.keys(value).length : value)));
}

function resources() {
  const [cpus, gpus] = [number("common-resources-cpus"), number("common-resources-gpus")];
  return cpus === 1 && gpus === 0 ? {} : { resources: { cpus, gpus } };
}

export function requestBody(form, fields) {
  const given = params(fields);
  const what = form.dataset.mode === "script" ? { script: script() } : { trainer: form.dataset.trainer, ...(Object.keys(given).length && { params: given }) };
  return { ...what, ...common(), ...resources() };
}
