// Folds what a terminal would overwrite: a bar is drawn again and again after a carriage return, and nested bars go up
// a line to draw the outer one. What is left are rows, each with its last state and its place in the file.

// Goes up so many lines, after ECMA-48.
// eslint-disable-next-line no-control-regex
const UP = /\x1b\[(\d{0,3})A/;

// A terminal shows what came after the last carriage return.
export function folded(text) {
  const states = text.split("\r").filter(Boolean);
  return states.length ? states.at(-1) : "";
}

// The parts of a line that go to different rows: [rows up from where the one before ended, text].
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

  // Where the rows of a line go; the next line goes below.
  write(line) {
    this.at = this.draw(line) + 1;
  }

  // A line that has no end yet is drawn at the same place again when there is more of it.
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
    // A line end below bars that are drawn further up leaves what stands there.
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
