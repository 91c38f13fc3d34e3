// Split a stream of log bytes into lines, each with its offset in the file. Work on bytes, so that a character or an
// escape sequence that is split between two responses is complete before it is decoded.
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const OPEN_LIMIT = 32768;

const decoder = new TextDecoder();

function joined(one, two) {
  if (!one.length) return two;
  const both = new Uint8Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  return both;
}

// Return the last offset up to `at` where a UTF-8 character begins.
function characterStart(bytes, at) {
  let place = at;
  while (place > 0 && at - place < 4 && (bytes[place] & 0xc0) === 0x80) place -= 1;
  return place;
}

export class LineCutter {
  constructor(offset) {
    this.offset = offset;
    this.rest = new Uint8Array(0);
  }

  // Add the next bytes; return the lines that they complete, as [{offset, text}].
  push(bytes) {
    const all = joined(this.rest, bytes);
    const lines = [];
    let from = 0;
    for (let end = all.indexOf(NEWLINE); end !== -1; end = all.indexOf(NEWLINE, from)) {
      lines.push(this.line(all, from, end));
      from = end + 1;
    }
    while (all.length - from > OPEN_LIMIT) from = this.cutOpen(all, from, lines);
    this.rest = all.slice(from);
    this.offset += from;
    return lines;
  }

  // Handle a line without an end: fold a progress bar to its last state, and split any other line.
  cutOpen(all, from, lines) {
    const bar = all.lastIndexOf(RETURN, all.length - 2);
    if (bar > from) return bar;
    const end = characterStart(all, from + OPEN_LIMIT);
    lines.push({ ...this.line(all, from, end), cut: true });
    return end;
  }

  line(all, from, end) {
    return { offset: this.offset + from, text: decoder.decode(all.subarray(from, end)) };
  }

  // Return the incomplete last line, without an incomplete character at its end.
  open() {
    return { offset: this.offset, text: new TextDecoder().decode(this.rest, { stream: true }) };
  }
}

// Return the lines in bytes that end with a line, and the offset of the first one. Bytes before the first newline
// belong to an earlier line, unless the bytes `begin` a file or one line fills them all.
export function wholeLines(bytes, offset, begin) {
  const newline = bytes.indexOf(NEWLINE);
  const skip = begin || newline === bytes.length - 1 ? 0 : newline + 1;
  const cutter = new LineCutter(offset + skip);
  const lines = cutter.push(bytes.subarray(skip));
  if (cutter.open().text) lines.push(cutter.open());
  return { lines, first: offset + skip };
}
