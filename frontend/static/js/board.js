// TensorBoard in its tab: open it when there is data, keep it open, and reload it when there is more.
import { getJson } from "./api.js";
import { BoardFrame } from "./board-frame.js";
import { stateFacts, stateWords } from "./board-words.js";

const SOON_MS = 300;
const MOVING_MS = 400;
const QUIET_MS = 2000;
// By then, TensorBoard has requested its first data, and the first responses wait for the data that is being read.
const SETTLED_MS = 1500;
// The time between two reloads of TensorBoard's data; longer if the last reload took more than 1/PARTS of it.
const RELOAD_SPACING_MS = 800;
const LONGEST_SPACING_MS = 1900;
const PARTS = 4;
// The states in which no more data is read from disk, whether all of it was read or not.
const READ = ["current", "full"];
const HASH = "#tensorboard/";
const NEVER = Symbol("nothing of the board was shown, or no longer is");

const placeIn = (hash) => (hash.startsWith(HASH) ? `#${hash.slice(HASH.length)}` : "");

// The subject of the board has:
//   stateUrl         the address of its state
//   home             the element that gets the focus after TensorBoard
//   isFinal          whether all data was written
//   hasData          whether there is data, as far as the page knows without a request
//   heed(state)      uses the parts of a state that do not concern the board
//   none(state)      the name of the text in place of TensorBoard, "" to show TensorBoard
//   isForGood(none)  whether that text stays
export class Board {
  constructor(panel, subject) {
    Object.assign(this, { panel, subject, shown: undefined, settled: false, reloadedAt: -LONGEST_SPACING_MS, place: placeIn(location.hash) });
    const byId = (id) => document.getElementById(id);
    [this.box, this.none, this.words, this.facts, this.link] = ["board-box", "board-none", "board-state", "board-facts", "board-link"].map(byId);
    this.reload = byId("board-reload");
    this.frame = new BoardFrame(byId("board"), {
      onLoad: () => this.begin(),
      onPlace: (hash) => this.keepPlace(hash),
      onEscape: () => subject.home.focus(),
    });
    byId("board-skip").addEventListener("click", () => byId("board-back").focus());
    byId("board-back").addEventListener("click", () => subject.home.focus());
    this.reload.addEventListener("click", () => this.reloadNow());
    byId("board-open")?.addEventListener("click", () => this.allow());
  }

  // Another site can open this tab by a link; only the user opens a TensorBoard.
  get isUnasked() {
    return "unasked" in this.panel.dataset;
  }

  allow() {
    delete this.panel.dataset.unasked;
    this.showNone("");
    this.enter();
    this.frame.element.focus();
  }

  start() {
    this.panel.addEventListener("deck:shown", () => this.enter());
    document.addEventListener("visibilitychange", () => this.look());
    for (const name of ["deck:run", "deck:back"]) document.addEventListener(name, () => this.wake());
    addEventListener("hashchange", () => placeIn(location.hash) && this.frame.goTo(placeIn(location.hash)));
    document.addEventListener("deck:theme", () => this.showLink());
    this.showLink();
  }

  enter() {
    this.keepPlace(this.place);
    if (this.isUnasked) return this.wait();
    if (this.subject.hasData) this.openOnce();
    this.wake();
  }

  wait() {
    this.showNone("unasked");
    this.say("none", "Not opened", "");
  }

  openOnce() {
    if (this.frame.isOpen) return;
    this.words.textContent = "Opening TensorBoard…";
    this.frame.open(this.place);
  }

  // A page has loaded in the frame; its content is known a moment later.
  begin() {
    this.shown = undefined;
    this.wake();
  }

  keepPlace(hash) {
    this.place = hash;
    this.showLink();
    if (!this.panel.hidden && hash) history.replaceState(history.state, "", HASH + hash.slice(1));
  }

  showLink() {
    this.link.href = this.frame.address(this.place);
  }

  wake() {
    this.settled = false;
    if (!this.timer) this.look();
  }

  async look() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.busy || this.settled || this.isUnasked || this.panel.hidden || document.hidden) return;
    this.busy = true;
    const pause = await getJson(this.subject.stateUrl).then((state) => this.take(state), () => this.lost());
    this.busy = false;
    this.timer = this.settled ? undefined : setTimeout(() => this.look(), pause);
  }

  lost() {
    this.say("away", "The server does not answer.", "");
    return QUIET_MS;
  }

  say(look, words, facts) {
    this.box.dataset.look = look;
    if (this.words.textContent !== words) this.words.textContent = words;
    this.facts.textContent = facts;
  }

  // Return the time until the next request.
  take(state) {
    this.subject.heed(state);
    const { isFinal } = this.subject;
    // The data of a run that has ended stays correct, even if its board was closed.
    if (state.state === "closed" && isFinal && typeof this.shown === "number") {
      this.settled = true;
      return QUIET_MS;
    }
    const none = this.subject.none(state);
    this.showNone(none);
    if (none) return this.rest(none);
    this.openOnce();
    const isLoaded = this.frame.loadedAt !== undefined;
    const wasOpen = this.shown !== undefined;
    this.say(state.state, stateWords(state, { wasOpen, isLoaded }), stateFacts(state, isFinal));
    if (!isLoaded || performance.now() - this.frame.loadedAt < SETTLED_MS) return SOON_MS;
    this.catchUp(state);
    this.settled = isFinal && READ.includes(state.state) && this.shown === state.read_bytes;
    return state.state === "reading" ? SOON_MS : MOVING_MS;
  }

  rest(none) {
    this.say("none", "Nothing to show", "");
    this.settled = this.subject.isForGood(none);
    return none === "empty" ? MOVING_MS : QUIET_MS;
  }

  showNone(none) {
    for (const part of this.none.children) part.hidden = part.dataset.when !== none;
    this.none.hidden = !none;
    this.frame.element.hidden = Boolean(none);
    this.reload.hidden = this.link.hidden = Boolean(none);
  }

  // Leave TensorBoard more time for other work than for loading its data.
  get spacing() {
    return Math.max(RELOAD_SPACING_MS, Math.min(LONGEST_SPACING_MS, PARTS * this.frame.reloadMs));
  }

  // The first data of a run that has ended is complete if its board had read everything by then.
  catchUp(state) {
    const isCurrent = state.state === "current";
    if (this.shown === undefined) this.shown = isCurrent && this.subject.isFinal && this.frame.showsTensorBoard ? state.read_bytes : NEVER;
    const hasNews = this.shown !== state.read_bytes || ["away", "closed"].includes(state.state);
    if (!hasNews || state.reason || performance.now() - this.reloadedAt < this.spacing) return;
    this.reloadedAt = performance.now();
    if (!this.frame.showsTensorBoard) this.frame.reloadPage();
    else if (this.frame.reloadData() !== undefined) this.shown = state.read_bytes;
  }

  // In tabs whose data TensorBoard never reloads, its reload button is disabled: load the page again.
  reloadNow() {
    if (!this.frame.isOpen) return;
    this.reloadedAt = performance.now();
    if (!this.frame.showsTensorBoard || !this.frame.reloadData()) this.frame.reloadPage();
    this.wake();
  }
}

const FOR_GOOD = ["never", "silent", "gone"];

class Run {
  constructor(url) {
    Object.assign(this, { stateUrl: `${url}/tensorboard-state`, home: document.getElementById("tab-tensorboard") });
  }

  get facts() {
    return document.getElementById("run-progress").dataset;
  }

  get isFinal() {
    return this.facts.final === "true";
  }

  // A run with scalars has data: no request is needed.
  get hasData() {
    return Number(this.facts.tagCount) > 0;
  }

  heed() {}

  none({ state }) {
    if (state === "gone" && this.facts.attempt === "0") return "never";
    if (state === "empty" && this.isFinal) return "silent";
    return ["waiting", "gone", "empty"].includes(state) ? state : "";
  }

  isForGood(none) {
    return FOR_GOOD.includes(none) && this.isFinal;
  }
}

export function startBoard(panel, url) {
  new Board(panel, new Run(url)).start();
}
