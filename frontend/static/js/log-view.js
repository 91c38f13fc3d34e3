// The panel of the log: follow the end until the reader scrolls up, and load more at both ends on demand.
import { LogSearch } from "./log-search.js";
import { LogSource } from "./log-source.js";
import { LogWindow } from "./log-window.js";
import { afterPaint } from "./painted.js";
import { remember, remembered } from "./remembered.js";
import { showBytes } from "./numbers.js";

const POLL_MS = 1000;
const NEAR = 32;
const get = (id) => document.getElementById(id);

export class LogView {
  constructor(panel, url) {
    this.panel = panel;
    this.source = new LogSource(url);
    this.scroller = get("log-lines");
    this.window = new LogWindow(this.source, get("log-text"));
    this.search = new LogSearch(this, get("log-text"));
    Object.assign(this, { busy: false, follow: true, top: 0 });
    this.connect();
  }

  connect() {
    this.panel.addEventListener("deck:shown", () => this.shown());
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    get("log-earlier").addEventListener("click", () => this.alone(() => this.earlier()));
    get("log-end").addEventListener("click", () => this.toEnd());
    get("log-follow").addEventListener("change", (event) => (event.target.checked ? this.toEnd() : this.setFollow(false)));
    document.addEventListener("deck:attempt", (event) => this.switchTo(event.detail));
    document.addEventListener("deck:run", (event) => this.newAttempt(event.detail.attempt));
    document.addEventListener("deck:back", () => this.pump());
    document.addEventListener("visibilitychange", () => this.pump());
    this.startWrap();
    // Lines may wrap differently: a view that follows the end stays there.
    new ResizeObserver(() => this.follow && this.scrollToEnd()).observe(get("log-text"));
    setInterval(() => get("run-progress").dataset.final === "false" && this.pump(), POLL_MS);
  }

  startWrap() {
    const box = get("log-wrap");
    const show = () => this.scroller.classList.toggle("wrapped", box.checked);
    afterPaint(() => {
      box.checked = remembered("log-wrap", "yes") === "yes";
      show();
    });
    box.addEventListener("change", () => {
      remember("log-wrap", box.checked ? "yes" : "no");
      show();
    });
  }

  shown() {
    if (!this.window.opened) this.toEnd();
    else if (this.follow) this.scrollToEnd();
    this.pump();
  }

  // A retry writes a new log; a reader of an older attempt keeps the old one.
  newAttempt(attempt) {
    const before = this.attempt ?? get("run-progress").dataset.attempt;
    this.attempt = String(attempt);
    if (before !== this.attempt && !this.source.attempt && this.window.opened) this.toEnd();
    else this.pump();
  }

  switchTo(attempt) {
    this.source.attempt = attempt;
    get("log-download").href = this.source.address();
    if (this.window.opened) this.toEnd();
  }

  // Change the lines one step at a time: two responses must not interleave.
  async alone(work) {
    while (this.busy) await this.busy;
    this.busy = work().then(() => this.showState(), (problem) => this.showState(problem.message));
    await this.busy;
    this.busy = false;
  }

  toEnd() {
    this.setFollow(true);
    return this.alone(() => this.window.openEnd(() => this.follow));
  }

  showAt(offset) {
    this.setFollow(false);
    return this.alone(() => this.window.openAt(offset));
  }

  // Load new bytes. A reader further up gets only the lines that fit into the window.
  pump() {
    if (this.panel.hidden || document.hidden || !this.window.opened || this.busy) return;
    if (this.follow) this.alone(() => this.window.readNewest(() => this.follow));
    else if (this.window.atFileEnd() && !this.window.full) this.alone(() => this.window.readSome());
  }

  async earlier() {
    this.setFollow(false);
    const lines = await this.window.earlierLines();
    this.keepPlace(() => this.window.lines.prepend(lines));
    this.window.dropEnd();
  }

  // At the end of a full window, the window moves on through the file.
  async readOn() {
    await this.window.readSome();
    this.keepPlace(() => this.window.lines.trimStart());
  }

  // Run a step that adds or removes lines above the visible ones.
  keepPlace(work) {
    const below = this.scroller.scrollHeight - this.scroller.scrollTop;
    work();
    this.scroller.scrollTop = this.scroller.scrollHeight - below;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    // Only the reader scrolls up: loading moves the end away, which does not mean that the reader wants to stay here.
    const up = scrollTop < this.top;
    this.top = scrollTop;
    if (!atEnd && this.follow && up) this.setFollow(false);
    if (!atEnd || this.follow || !this.window.opened) return;
    if (this.window.atFileEnd()) this.setFollow(true);
    else if (!this.busy) this.alone(() => this.readOn());
  }

  reveal(line) {
    this.setFollow(false);
    const frame = this.scroller.getBoundingClientRect();
    this.scroller.scrollTop += line.getBoundingClientRect().top - frame.top - frame.height / 2;
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
    get("log-earlier").hidden = !this.window.lines.start;
    if (this.follow) this.scrollToEnd();
    const none = get("run-progress").dataset.final === "true" ? "No output" : "No output yet";
    get("log-size").textContent = problem ?? (this.source.size ? showBytes(this.source.size) : none);
    this.search.renew();
  }
}
