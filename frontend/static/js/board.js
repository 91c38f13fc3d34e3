// TensorBoard in its tab: opened when there is something to show, kept as it is after that, and told of what is new.
import { getJson } from "./api.js";
import { BoardFrame } from "./board-frame.js";
import { stateFacts, stateWords } from "./board-words.js";

const SOON_MS = 300;
const MOVING_MS = 400;
const QUIET_MS = 2000;
// TensorBoard has asked for its first data by then, and its first answers wait for what is being read.
const SETTLED_MS = 1500;
// From one reload of TensorBoard's data to the next: where the last took longer than a part of that, so much longer.
const RELOAD_SPACING_MS = 800;
const LONGEST_SPACING_MS = 1900;
const PARTS = 4;
// Nothing more of what is on disk is read, all of it or not.
const READ = ["current", "full"];
const HASH = "#tensorboard/";
const NEVER = Symbol("nothing of the board was shown, or no longer is");

const placeIn = (hash) => (hash.startsWith(HASH) ? `#${hash.slice(HASH.length)}` : "");

// What the board is of, `subject`, has:
//   stateUrl         where its state is asked for
//   home             the element that has the focus after TensorBoard
//   isFinal          whether nothing more will be written
//   hasData          whether there is something to show, as far as is known without asking
//   heed(state)      takes in what a state says beyond the board
//   none(state)      which of the texts stands in for TensorBoard, "" where TensorBoard does
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

  // Another site can lead a browser to this tab; only the user opens a TensorBoard.
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

  // A page has come into the frame; what it shows is known a little later.
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

  // How long until the next look.
  take(state) {
    this.subject.heed(state);
    const { isFinal } = this.subject;
    // What was read of a run that has ended stays right, whether its board is still open or not.
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

  // TensorBoard has the greater part of the time for other things than to load its data.
  get spacing() {
    return Math.max(RELOAD_SPACING_MS, Math.min(LONGEST_SPACING_MS, PARTS * this.frame.reloadMs));
  }

  // The first data of a run that has ended are all there is, where its board had read everything by then.
  catchUp(state) {
    const isCurrent = state.state === "current";
    if (this.shown === undefined) this.shown = isCurrent && this.subject.isFinal && this.frame.showsTensorBoard ? state.read_bytes : NEVER;
    const hasNews = this.shown !== state.read_bytes || ["away", "closed"].includes(state.state);
    if (!hasNews || state.reason || performance.now() - this.reloadedAt < this.spacing) return;
    this.reloadedAt = performance.now();
    if (!this.frame.showsTensorBoard) this.frame.reloadPage();
    else if (this.frame.reloadData() !== undefined) this.shown = state.read_bytes;
  }

  // Tabs whose data TensorBoard never loads again by itself have no button of its own to press.
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

  // A run with scalars has something to show: no need to ask first.
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
