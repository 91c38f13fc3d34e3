// The loaded part of a log: where it begins and ends in the file, and how it moves.
import { LineCutter, wholeLines } from "./log-bytes.js";
import { LINES_LIMIT, LogLines } from "./log-lines.js";

const CHUNK = 262144;
const STEP = LINES_LIMIT / 2;
const CONTEXT = 500;
const NEWLINE = 0x0a;

export class LogWindow {
  constructor(source, box) {
    Object.assign(this, { source, lines: new LogLines(box), cutter: null, next: 0, skip: false });
  }

  get opened() {
    return this.cutter !== null;
  }

  get full() {
    return this.lines.count >= LINES_LIMIT;
  }

  atFileEnd() {
    return this.next >= this.source.size;
  }

  whole() {
    return this.lines.start === 0 && this.atFileEnd();
  }

  // Return the loaded range of bytes, and the size of the file.
  range() {
    return { start: this.lines.start ?? 0, end: this.atFileEnd() ? this.source.size : this.cutter.offset, size: this.source.size };
  }

  begin(offset, skip = false) {
    this.lines.clear();
    this.cutter = new LineCutter(offset);
    Object.assign(this, { next: offset, skip });
  }

  // Start again at the end of the file.
  async openEnd(follows) {
    await this.source.read(0, 1);
    const from = Math.max(0, this.source.size - CHUNK);
    this.begin(from, from > 0);
    await this.readNewest(follows);
  }

  // Load what was written since, while `follows()` is true; lines beyond the limit are removed at the start.
  async readNewest(follows) {
    do await this.read((lines) => this.takeNewest(lines));
    while (follows() && !this.atFileEnd());
  }

  // Load at most half a window at a time, so that the visible lines stay.
  readSome() {
    return this.read((lines) => this.takeSome(lines));
  }

  async read(take) {
    const { bytes, next } = await this.source.read(this.next, CHUNK);
    this.next = next;
    take(this.cutter.push(this.withoutHead(bytes)));
  }

  // A window may begin in the middle of a line: that line belongs to the part before.
  withoutHead(bytes) {
    if (!this.skip) return bytes;
    const head = bytes.indexOf(NEWLINE) + 1;
    this.cutter = new LineCutter(this.next - bytes.length + head);
    this.skip = false;
    return bytes.subarray(head);
  }

  takeNewest(lines) {
    if (lines.length > LINES_LIMIT) this.lines.clear();
    this.lines.append(lines.slice(-LINES_LIMIT), this.cutter.open());
    this.lines.trimStart();
  }

  takeSome(lines) {
    if (lines.length > STEP) {
      this.next = lines[STEP].offset;
      this.cutter = new LineCutter(this.next);
    }
    this.lines.append(lines.slice(0, STEP), this.cutter.open());
  }

  async linesBefore(end) {
    const from = Math.max(0, end - CHUNK);
    const { bytes } = await this.source.read(from, end - from);
    return wholeLines(bytes, from, from === 0).lines;
  }

  // Move to the line at `offset`, with some lines before it.
  async openAt(offset) {
    const before = offset ? await this.linesBefore(offset) : [];
    this.begin(before.slice(-CONTEXT)[0]?.offset ?? offset);
    do await this.readSome();
    while (this.cutter.offset <= offset && !this.atFileEnd());
  }

  async earlierLines() {
    return (await this.linesBefore(this.lines.start)).slice(-STEP);
  }

  // Remove the lines beyond the limit from the end; reading continues at the end of the window.
  dropEnd() {
    const offset = this.lines.trimEnd();
    if (offset === null) return;
    this.next = offset;
    this.cutter = new LineCutter(offset);
  }
}
