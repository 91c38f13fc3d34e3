// Fold what a terminal overwrites: a bar is drawn again after each carriage return, and nested bars go up a line to
// draw the outer one. The result is rows, each with its last state and its offset in the file.

// Move up by a number of lines (ECMA-48).
// eslint-disable-next-line no-control-regex
const UP = /\x1b\[(\d{0,3})A/;

// A terminal shows the text after the last carriage return.
export function folded(text) {
  const states = text.split("\r").filter(Boolean);
  return states.length ? states.at(-1) : "";
}

// Return the parts of a line for different rows: [rows up from the end of the part before, text].
function parts(text) {
  const pieces = text.split(UP);
  const found = [[0, pieces[0]]];
  for (let at = 1; at < pieces.length; at += 2) found.push([Math.max(Number(pieces[at]), 1), pieces[at + 1]]);
  return found;
}

export class Rows {
  constructor() {
    this.clear();
  }

  clear() {
    this.all = [];
    this.at = 0;
    this.changed = new Set();
  }

  // Assign the parts of a line to rows; the next line starts below.
  write(line) {
    this.at = this.draw(line) + 1;
  }

  // Draw a line that has no end yet in the same place again when there is more of it.
  open(line) {
    if (line.text) this.draw(line);
  }

  draw({ offset, text, cut = false }) {
    let at = this.at;
    for (const [up, part] of text.includes("\x1b[") ? parts(text) : [[0, text]]) {
      at = Math.max(at - up, 0);
      if (part || !up) this.put(at, offset, part);
    }
    if (this.all[at]) this.all[at].cut = cut;
    return at;
  }

  put(at, offset, text) {
    const state = folded(text);
    // A line end below bars that are drawn further up keeps the row.
    if (this.all[at] && !state) return;
    this.all[at] ??= { offset, line: null };
    this.all[at].text = state;
    this.changed.add(this.all[at]);
  }

  dropStart(count) {
    this.all.splice(0, count);
    this.at = Math.max(this.at - count, 0);
  }

  dropEnd(count) {
    const gone = this.all.splice(this.all.length - count, count);
    if (count) this.at = this.all.length;
    return gone[0]?.offset ?? null;
  }

  prepend(lines) {
    const before = new Rows();
    lines.forEach((line) => before.write(line));
    this.all.unshift(...before.all);
    this.at += before.all.length;
    return before.all;
  }

  takeChanged() {
    const rows = this.changed;
    this.changed = new Set();
    return rows;
  }
}
