// The script that the form names, as POST /runs takes it, and what is missing of it.
import { splitWords } from "./shell-words.js";

const text = (id) => document.getElementById(id).value.trim();
const raw = (id) => document.getElementById(id).value;

const WAYS = {
  path: () => ({ path: text("script-path") }),
  upload: (upload) => ({ upload: upload.digest, ...(raw("script-entry") && { entry: raw("script-entry") }) }),
  source: () => ({ source: raw("script-source"), filename: text("script-filename") }),
  module: () => ({ module: text("script-module"), cwd: text("script-module-cwd") }),
  command: () => ({ command: splitWords(raw("script-command")), cwd: text("script-command-cwd") }),
};

const NEEDED = {
  path: () => text("script-path") || ["script.path", "A path is needed here."],
  upload: (upload) => upload.complaint(),
  source: () => text("script-source") || ["script.source", "The script is still empty."],
  module: () => (text("script-module") ? text("script-module-cwd") || ["script.cwd", "The folder is needed, for it is where the module is found."] : ["script.module", "A module is needed here."]),
  command: () => text("script-command") || ["script.command", "A command is needed here."],
};

export const way = () => document.querySelector("[name=from]:checked").value;

// The repeat of a run has its code from there, unless another is wanted.
export const keepsCode = () => document.querySelector("[name=code]:checked")?.value === "kept";

function start() {
  const own = way() === "module" || way() === "command" ? {} : { cwd: text("script-cwd") };
  const python = way() === "command" ? {} : { python: text("script-python"), cold: document.getElementById("script-cold").checked };
  return { ...own, ...python, resume_arg: text("script-resume_arg") };
}

// Without its arguments; what is left out has its default.
export function scriptBody(upload) {
  const given = { ...WAYS[way()](upload), ...start() };
  return Object.fromEntries(Object.entries(given).filter(([name, value]) => value || name === "source"));
}

export function scriptArgs() {
  return way() === "command" && !keepsCode() ? [] : splitWords(raw("script-args"));
}

export function scriptComplaints(upload) {
  if (keepsCode()) return [];
  const wrong = NEEDED[way()](upload);
  return Array.isArray(wrong) ? [{ field: wrong[0], message: wrong[1] }] : [];
}
