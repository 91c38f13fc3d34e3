// Build the commands that run this run again exactly: with the command line here, or over HTTP at the address of the
// page.
import { quoteWord } from "./shell-words.js";

export function startAgain(url) {
  const box = document.getElementById("again");
  if (box === null) return;
  box.textContent += `\n\n# or, without the command line\ncurl -X POST ${quoteWord(`${location.origin}${url}/rerun`)}`;
}
