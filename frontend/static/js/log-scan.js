// Looks for text in the parts of a log that are not loaded: a chunk at a time, so that memory stays bounded.
import { plain } from "./ansi.js";
import { LineCutter, wholeLines } from "./log-bytes.js";
import { folded } from "./log-fold.js";

const CHUNK = 1048576;

export class LogScan {
  constructor(source, wanted, signal, onProgress) {
    Object.assign(this, { source, signal, onProgress, done: 0, total: 0 });
    this.fits = ({ text }) => plain(folded(text)).toLowerCase().includes(wanted);
  }

  // The offset of the first line that fits in the given parts of the file, or null; from the end where `by` is -1.
  async first(by, parts) {
    this.total = parts.reduce((sum, [from, to]) => sum + to - from, 0);
    for (const [from, to] of parts) {
      const found = by > 0 ? await this.down(from, to) : await this.up(from, to);
      if (found !== null) return found;
    }
    return null;
  }

  async down(from, to) {
    const cutter = new LineCutter(from);
    for (let at = from; at < to; ) {
      const { bytes, next } = await this.read(at, Math.min(CHUNK, to - at));
      if (next === at) break;
      at = next;
      const found = cutter.push(bytes).find(this.fits);
      if (found) return found.offset;
    }
    return this.fits(cutter.open()) ? cutter.open().offset : null;
  }

  async up(from, to) {
    for (let end = to; end > from; ) {
      const start = Math.max(from, end - CHUNK);
      const { bytes } = await this.read(start, end - start);
      const { lines, first } = wholeLines(bytes, start, start === from);
      const found = lines.findLast(this.fits);
      if (found) return found.offset;
      end = first;
    }
    return null;
  }

  async read(offset, limit) {
    this.onProgress(this.done / this.total);
    const answer = await this.source.read(offset, limit, this.signal);
    this.done = Math.min(this.done + answer.bytes.length, this.total);
    return answer;
  }
}
