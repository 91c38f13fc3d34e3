// The lines of a log in the page: a bounded window over a file of any size.
import { ansiNodes } from "./ansi.js";
import { Rows } from "./log-fold.js";

export const LINES_LIMIT = 4000;

function lineElement({ offset, text, cut }) {
  const line = document.createElement("div");
  line.className = "log-line";
  line.offset = offset;
  line.cut = cut;
  line.append(...ansiNodes(text));
  return line;
}

export class LogLines {
  constructor(box) {
    this.box = box;
    this.rows = new Rows();
    this.clear();
  }

  clear() {
    this.box.replaceChildren();
    this.rows.clear();
  }

  get count() {
    return this.rows.all.length;
  }

  // Return the offset in the file of the first line that is shown.
  get start() {
    return this.rows.all[0]?.offset ?? null;
  }

  append(lines, open) {
    lines.forEach((line) => this.rows.write(line));
    this.rows.open(open);
    this.show();
  }

  // Draw existing rows in place, so that a progress bar does not flicker.
  show() {
    const added = [];
    for (const row of this.rows.takeChanged()) {
      const line = lineElement(row);
      if (row.line) row.line.replaceWith(line);
      else added.push(line);
      row.line = line;
    }
    this.box.append(...added);
  }

  prepend(lines) {
    const rows = this.rows.prepend(lines);
    for (const row of rows) row.line = lineElement(row);
    this.box.prepend(...rows.map((row) => row.line));
  }

  trimStart() {
    const over = Math.max(this.count - LINES_LIMIT, 0);
    for (const row of this.rows.all.slice(0, over)) row.line.remove();
    this.rows.dropStart(over);
  }

  // Remove the lines beyond the limit from the end; return the offset of the first removed line, or null.
  trimEnd() {
    const over = Math.max(this.count - LINES_LIMIT + 1, 0);
    for (const row of this.rows.all.slice(this.count - over)) row.line.remove();
    return this.rows.dropEnd(over);
  }
}
