// The lines of a log in the page: a bounded window over a file of any size.
import { ansiNodes } from "./ansi.js";
import { folded } from "./log-bytes.js";

export const LINES_LIMIT = 4000;

function lineElement({ offset, text }) {
  const line = document.createElement("div");
  line.className = "log-line";
  line.offset = offset;
  line.append(...ansiNodes(folded(text)));
  return line;
}

export class LogLines {
  constructor(box) {
    this.box = box;
    this.clear();
  }

  clear() {
    this.box.replaceChildren();
    this.open = null;
  }

  get count() {
    return this.box.childElementCount;
  }

  // The offset in the file of the first line that is shown.
  get start() {
    return this.box.firstElementChild?.offset ?? null;
  }

  append(lines, open) {
    const made = lines.map(lineElement);
    // The open line is redrawn in place, so a progress bar does not flicker.
    if (this.open && made.length) this.open.replaceWith(made.shift());
    if (lines.length) this.open = null;
    this.box.append(...made);
    this.showOpen(open);
  }

  showOpen(open) {
    if (!open.text) {
      this.open?.remove();
      this.open = null;
      return;
    }
    const line = lineElement(open);
    if (this.open) this.open.replaceWith(line);
    else this.box.append(line);
    this.open = line;
  }

  prepend(lines) {
    this.box.prepend(...lines.map(lineElement));
  }

  trimStart() {
    while (this.count > LINES_LIMIT) this.box.firstElementChild.remove();
  }

  // Drops what does not fit any more at the end; answers the offset of the first line that is gone, or null.
  trimEnd() {
    let offset = null;
    while (this.count >= LINES_LIMIT) {
      offset = this.box.lastElementChild.offset;
      this.box.lastElementChild.remove();
      this.open = null;
    }
    return offset;
  }
}
