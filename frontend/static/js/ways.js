// Where the script comes from: each way has its own part of the form. A pasted script gets an editor.
import { openEditor } from "./editor.js";
import { keepsCode, way } from "./script-body.js";

const all = (selector) => [...document.querySelectorAll(selector)];

export function startWays(form, update) {
  const show = () => {
    const chosen = way();
    for (const part of all("[data-way]")) part.hidden = part.dataset.way !== chosen;
    for (const part of all("[data-ways]")) part.hidden = !part.dataset.ways.split(" ").includes(chosen);
    document.getElementById("arguments").hidden = chosen === "command";
    document.getElementById("anew").hidden = keepsCode();
    if (chosen === "source" && !keepsCode() && form.dataset.mode === "script") openEditor();
  };
  for (const radio of all("[name=from], [name=code]")) {
    radio.addEventListener("change", () => {
      show();
      update();
    });
  }
  document.getElementById("panel-script").addEventListener("deck:shown", show);
  show();
}
