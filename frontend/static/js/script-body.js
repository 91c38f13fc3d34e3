// The script of the form as POST /runs takes it, and the fields that are missing.
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
  path: () => text("script-path") || ["script.path", "Enter a path."],
  upload: (upload) => upload.complaint(),
  source: () => text("script-source") || ["script.source", "Enter the source of the script."],
  module: () => (text("script-module") ? text("script-module-cwd") || ["script.cwd", "Enter the folder that contains the module."] : ["script.module", "Enter a module."]),
  command: () => text("script-command") || ["script.command", "Enter a command."],
};

export const way = () => document.querySelector("[name=from]:checked").value;

// The repeat of a run uses its code, unless the user selects another.
export const keepsCode = () => document.querySelector("[name=code]:checked")?.value === "kept";

function start() {
  const own = way() === "module" || way() === "command" ? {} : { cwd: text("script-cwd") };
  const python = way() === "command" ? {} : { python: text("script-python"), cold: document.getElementById("script-cold").checked };
  return { ...own, ...python, resume_arg: text("script-resume_arg") };
}

// Return the script without its arguments; fields that are left out have their defaults.
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
