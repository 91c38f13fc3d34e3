// Text that is loaded when its fold is opened: a file of the code with numbered lines, or a colored diff.
import { call } from "./api.js";
import { showDiff } from "./diff.js";
import { visible } from "./visible.js";

const LONGEST = 400_000;

function showCode(pre, text) {
  const lines = visible(text.slice(0, LONGEST)).replace(/\n$/, "").split("\n");
  pre.replaceChildren(
    ...lines.map((line) => {
      const row = document.createElement("span");
      row.textContent = `${line}\n`;
      return row;
    }),
  );
  if (text.length > LONGEST) pre.append("This is the first part. Download the file to see all of it.");
}

async function fill(fold, url, show) {
  const pre = fold.querySelector("pre");
  fold.dataset.filled = "";
  try {
    const answer = await call(url, { headers: { Accept: "text/plain" } });
    show(pre, await answer.text());
  } catch (problem) {
    delete fold.dataset.filled;
    pre.textContent = problem.message;
  }
}

export function startFolds(within) {
  within.addEventListener(
    "toggle",
    ({ target: fold }) => {
      if (!fold.open || "filled" in fold.dataset) return;
      if (fold.dataset.code) fill(fold, fold.dataset.code, showCode);
      if (fold.dataset.diff) fill(fold, fold.dataset.diff, showDiff);
    },
    // The event does not bubble.
    true,
  );
}
