// Handle the buttons that do something with a run: [data-action].
import { sendJson } from "./api.js";
import { confirmed } from "./confirm.js";
import { leave, refresh } from "./refresh.js";
import { toast, toastOnTheNextPage } from "./toast.js";

const QUESTIONS = {
  cancel: (run) => ({ title: `Cancel run #${run}?`, text: "The run receives SIGTERM. If it does not end in time, it is killed.", yes: "Cancel run" }),
  delete: (run) => ({ title: `Delete run #${run}?`, text: "This also deletes its log, curves, checkpoints, and files. It cannot be undone.", yes: "Delete run" }),
};

// Canceling a queued run loses nothing.
const needsQuestion = (action, button) => action in QUESTIONS && button.dataset.status !== "queued";

const DO = {
  cancel: (run) => sendJson("POST", `/runs/${run}/cancel`),
  retry: (run) => sendJson("POST", `/runs/${run}/retry`),
  resume: (run) => sendJson("POST", `/runs/${run}/resume`),
  rerun: async (run) => {
    const made = await sendJson("POST", `/runs/${run}/rerun`);
    toastOnTheNextPage(`Run #${made.id} repeats run #${run}: same code, parameters, and environment.`);
    location.assign(`/runs/${made.id}`);
  },
  delete: async (run) => {
    await sendJson("DELETE", `/runs/${run}`);
    leave();
  },
  first: async () => {
    const run = await sendJson("POST", "/runs", { trainer: "mnist" });
    location.assign(`/runs/${run.id}`);
  },
};

async function act(button) {
  const { action, run } = button.dataset;
  if (needsQuestion(action, button) && !(await confirmed(QUESTIONS[action](run)))) return;
  button.setAttribute("aria-busy", "true");
  try {
    await DO[action](run);
  } catch (problem) {
    toast(problem.message, true);
  }
  button.removeAttribute("aria-busy");
  refresh();
}

export function startActions() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    if (button && button.dataset.action in DO && button.getAttribute("aria-busy") !== "true") act(button);
  });
}
