// The log: shows the end first, follows it, and loads what came before on demand.
import { LineCutter } from "./log-bytes.js";
import { LINES_LIMIT, LogLines } from "./log-lines.js";
import { LogSearch } from "./log-search.js";
import { LogSource } from "./log-source.js";
import { remember, remembered } from "./remembered.js";
import { showBytes } from "./numbers.js";

const CHUNK = 262144;
const STEP = LINES_LIMIT / 2;
const POLL_MS = 1000;
const NEAR = 32;
const NEWLINE = 0x0a;
const get = (id) => document.getElementById(id);

export class LogView {
  constructor(panel, url) {
    this.panel = panel;
    this.source = new LogSource(url);
    this.scroller = get("log-lines");
    this.lines = new LogLines(get("log-text"));
    this.search = new LogSearch(this.scroller, get("log-text"), () => this.setFollow(false));
    this.busy = false;
    this.follow = true;
    this.cutter = null;
    this.connect();
  }

  connect() {
    this.panel.addEventListener("deck:shown", () => this.shown());
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    get("log-earlier").addEventListener("click", () => this.alone(() => this.earlier()));
    get("log-end").addEventListener("click", () => this.toEnd());
    get("log-follow").addEventListener("change", (event) => (event.target.checked ? this.toEnd() : this.setFollow(false)));
    get("log-attempt")?.addEventListener("change", (event) => this.switchTo(event.target.value));
    document.addEventListener("deck:run", (event) => this.newAttempt(event.detail.attempt));
    document.addEventListener("deck:back", () => this.pump());
    document.addEventListener("visibilitychange", () => this.pump());
    this.startWrap();
    setInterval(() => this.active() && this.pump(), POLL_MS);
  }

  startWrap() {
    const box = get("log-wrap");
    box.checked = remembered("log-wrap", "yes") === "yes";
    this.scroller.classList.toggle("wrapped", box.checked);
    box.addEventListener("change", () => {
      remember("log-wrap", box.checked ? "yes" : "no");
      this.scroller.classList.toggle("wrapped", box.checked);
      if (this.follow) this.scrollToEnd();
    });
  }

  active() {
    return get("run-progress").dataset.final === "false";
  }

  shown() {
    if (!this.cutter) this.toEnd();
    else if (this.follow) this.scrollToEnd();
    this.pump();
  }

  // A retry writes a new log; whoever reads an older attempt's is left alone.
  newAttempt(attempt) {
    const before = this.attempt ?? get("run-progress").dataset.attempt;
    this.attempt = String(attempt);
    if (before !== this.attempt && !this.source.attempt && this.cutter) this.toEnd();
    else this.pump();
  }

  switchTo(attempt) {
    this.source.attempt = attempt;
    get("log-download").href = this.source.address();
    this.toEnd();
  }

  // Starts over at the end of the file.
  toEnd() {
    this.setFollow(true);
    this.alone(async () => {
      const { bytes: probe } = await this.source.read(0, 1);
      const from = Math.max(0, this.source.size - CHUNK);
      this.lines.clear();
      this.cutter = new LineCutter(from);
      this.next = from;
      this.skip = from > 0;
      if (probe.length) await this.more();
      else this.showState();
    });
  }

  // Work on the lines happens one piece at a time: two answers must not interleave.
  async alone(work) {
    while (this.busy) await this.busy;
    this.busy = work().catch((problem) => this.showState(problem.message));
    await this.busy;
    this.busy = false;
  }

  pump() {
    if (this.panel.hidden || document.hidden || !this.cutter || this.busy) return;
    // Whoever reads further up gets no more lines below than fit into the window.
    if (!this.follow && (this.next < this.source.size || this.lines.count >= LINES_LIMIT)) return;
    this.alone(() => this.more());
  }

  async more() {
    do {
      const { bytes, next } = await this.source.read(this.next, CHUNK);
      if (!bytes.length) break;
      this.next = next;
      this.take(bytes);
    } while (this.next < this.source.size && this.follow);
    this.showState();
  }

  take(bytes) {
    let from = 0;
    if (this.skip) {
      // The window begins in the middle of a line: that line belongs to the part before.
      const end = bytes.indexOf(NEWLINE);
      if (end !== -1) from = end + 1;
      this.cutter = new LineCutter(this.next - bytes.length + from);
      this.skip = false;
    }
    const lines = this.cutter.push(bytes.subarray(from));
    if (this.follow) this.takeNewest(lines);
    else this.takeSome(lines);
    this.search.renew();
  }

  takeNewest(lines) {
    if (lines.length > LINES_LIMIT) this.lines.clear();
    this.lines.append(lines.slice(-LINES_LIMIT), this.cutter.open());
    this.lines.trimStart();
    this.scrollToEnd();
  }

  // Reading on, not following: no more than half a window at a time, or what is being read would be pushed out.
  takeSome(lines) {
    if (lines.length <= STEP) return this.lines.append(lines, this.cutter.open());
    this.next = lines[STEP].offset;
    this.cutter = new LineCutter(this.next);
    this.lines.append(lines.slice(0, STEP), this.cutter.open());
  }

  async earlier() {
    const end = this.lines.start;
    const from = Math.max(0, end - CHUNK);
    const { bytes } = await this.source.read(from, end - from);
    const skip = from > 0 ? bytes.indexOf(NEWLINE) + 1 : 0;
    const cutter = new LineCutter(from + skip);
    const lines = cutter.push(bytes.subarray(skip));
    if (cutter.open().text) lines.push(cutter.open());
    const height = this.scroller.scrollHeight - this.scroller.scrollTop;
    this.setFollow(false);
    this.lines.prepend(lines.slice(-STEP));
    this.scroller.scrollTop = this.scroller.scrollHeight - height;
    if (this.lines.trimEnd()) this.detach();
    this.showState();
    this.search.renew();
  }

  // The end of the file is out of the window now: reading on starts where the window ends.
  detach() {
    const last = get("log-text").lastElementChild;
    this.next = last.offset;
    last.remove();
    this.cutter = new LineCutter(this.next);
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    const whole = this.next === undefined || this.next >= this.source.size;
    if (atEnd && !whole && !this.follow) this.readOn();
    if (atEnd && whole && !this.follow) this.setFollow(true);
    if (!atEnd && this.follow) this.setFollow(false);
  }

  // Scrolled to the end of a full window: it moves on through the file.
  readOn() {
    if (this.busy) return;
    this.alone(async () => {
      await this.more();
      const height = this.scroller.scrollHeight;
      this.lines.trimStart();
      this.scroller.scrollTop -= height - this.scroller.scrollHeight;
    });
  }

  setFollow(follow) {
    this.follow = follow;
    get("log-follow").checked = follow;
    get("log-end").hidden = follow;
  }

  scrollToEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  showState(problem) {
    get("log-earlier").hidden = !this.lines.start;
    get("log-size").textContent = problem ?? (this.source.size ? showBytes(this.source.size) : "Nothing was written yet");
  }
}
