// The form as a curl command, always up to date, with a button that copies it.
import { quoteWord } from "./shell-words.js";
import { toast } from "./toast.js";

function command(body) {
  const json = JSON.stringify(body, null, 2);
  return `curl ${quoteWord(`${location.origin}/runs`)} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoteWord(json)}`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    // Over plain HTTP from another machine there is no clipboard: the text is selected instead.
    getSelection().selectAllChildren(document.getElementById("curl"));
    toast("Press Ctrl+C to copy.");
  }
}

export function startCurl() {
  const box = document.getElementById("curl");
  document.getElementById("copy-curl").addEventListener("click", () => copy(box.textContent));
  return (body) => {
    const text = command(body);
    // Written only when it changes: a selection in it survives.
    if (box.textContent !== text) box.textContent = text;
  };
}
