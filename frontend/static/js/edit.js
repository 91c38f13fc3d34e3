// The dialog that changes the name, tags, notes and priority of a run.
import { getJson, sendJson } from "./api.js";
import { refresh } from "./refresh.js";
import { splitTags } from "./request.js";
import { toast } from "./toast.js";

function fill(form, run) {
  form.elements.name.value = run.name;
  form.elements.tags.value = run.tags.join(", ");
  form.elements.priority.value = run.priority;
  form.elements.notes.value = run.notes;
}

function read(form) {
  const { name, tags, priority, notes } = form.elements;
  return { name: name.value.trim(), tags: splitTags(tags.value), priority: Number(priority.value || 0), notes: notes.value };
}

export function startEdit(url) {
  const dialog = document.getElementById("edit");
  const form = document.getElementById("edit-form");
  const wrong = document.getElementById("edit-error");
  document.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-action=edit]")) return;
    wrong.hidden = true;
    try {
      fill(form, await getJson(url));
      dialog.showModal();
    } catch (problem) {
      toast(problem.message, true);
    }
  });
  document.getElementById("edit-close").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await sendJson("PATCH", url, read(form));
      dialog.close();
      refresh();
    } catch (problem) {
      wrong.textContent = problem.errors.map((each) => each.message).join(" ") || problem.message;
      wrong.hidden = false;
    }
  });
}
