// The commands that run this run again, exactly: by the command line here, or by HTTP at the page's own address.
import { quoteWord } from "./shell-words.js";

export function startAgain(url) {
  const box = document.getElementById("again");
  box.textContent += `\n\n# or, without the command line\ncurl -X POST ${quoteWord(`${location.origin}${url}/rerun`)}`;
}
