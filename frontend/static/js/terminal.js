// The form as commands for a terminal: curl, or the command line of the deck.
import { commandLine } from "./command-line.js";
import { copyText } from "./copy.js";
import { curlCommand } from "./curl.js";
import { afterPaint } from "./painted.js";
import { remember, remembered } from "./remembered.js";

const NAME = "terminal";

export function startTerminal(redraw) {
  const box = document.getElementById("curl");
  const buttons = [...document.querySelectorAll("[data-terminal]")];
  const choose = (kind) => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.terminal === kind)));
  afterPaint(() => {
    const kind = remembered(NAME, "curl");
    if (kind === "curl") return;
    choose(kind);
    redraw();
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      remember(NAME, button.dataset.terminal);
      choose(button.dataset.terminal);
      redraw();
    });
  }
  document.getElementById("copy-curl").addEventListener("click", () => copyText(box));
  return (request, set, upload) => {
    const asked = buttons.find((button) => button.getAttribute("aria-pressed") === "true")?.dataset.terminal;
    const text = asked === "traindeck" ? commandLine(request, set, upload) : curlCommand(request, upload);
    // Write the text only when it changes, so that a selection in it survives.
    if (box.textContent !== text) box.textContent = text;
  };
}
