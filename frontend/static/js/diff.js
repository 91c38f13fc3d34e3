// Color a unified diff and number its lines. The signs stay, because color alone is not accessible.
import { plural } from "./numbers.js";
import { visible } from "./visible.js";

const AT_ONCE = 2000;
const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)/;
const HEADER = /^(diff |index |--- |\+\+\+ |new file|deleted file|old mode|new mode|similarity|rename |Binary )/;

function numbered(lines) {
  let [before, after, inHunk] = [0, 0, false];
  return lines.map((text) => {
    const hunk = HUNK.exec(text);
    if (hunk) [before, after, inHunk] = [Number(hunk[1]), Number(hunk[2]), true];
    if (hunk) return { kind: "hunk", text };
    if (text.startsWith("diff ")) inHunk = false;
    if (!inHunk && HEADER.test(text)) return { kind: text.startsWith("diff ") ? "file" : "header", text };
    if (text.startsWith("+")) return { kind: "add", text, after: after++ };
    if (text.startsWith("-")) return { kind: "del", text, before: before++ };
    return { kind: text.startsWith("\\") ? "header" : "same", text, before: before++, after: after++ };
  });
}

function row({ kind, text, before = "", after = "" }) {
  const line = document.createElement("span");
  line.className = `d-${kind}`;
  line.dataset.before = before;
  line.dataset.after = after;
  line.textContent = `${text}\n`;
  return line;
}

export function showDiff(pre, text) {
  const lines = visible(text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  const rows = numbered(lines);
  pre.classList.add("coloured");
  pre.replaceChildren(...rows.slice(0, AT_ONCE).map(row));
  if (rows.length <= AT_ONCE) return;
  const more = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: `Show ${(rows.length - AT_ONCE).toLocaleString("en")} more ${plural(rows.length - AT_ONCE, "line")}` });
  more.addEventListener("click", () => more.replaceWith(...rows.slice(AT_ONCE).map(row)));
  pre.append(more);
}

// Color the diffs in the page: at once if they are open, else when they are opened.
export function startDiffs(within) {
  for (const pre of within.querySelectorAll("pre.diff:not(.coloured)")) {
    const fold = pre.closest("details");
    const show = () => pre.classList.contains("coloured") || showDiff(pre, pre.textContent);
    if (!fold || fold.open) show();
    else fold.addEventListener("toggle", show, { once: true });
  }
}
