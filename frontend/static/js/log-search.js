// Finds text in the log and goes from match to match: first in the lines that are loaded, then in all others.
// Marks are CSS highlights: the lines themselves are not touched, so selections survive.
import { LogScan } from "./log-scan.js";
import { toast } from "./toast.js";

const MATCHES_LIMIT = 5000;
const RENEW_MS = 150;
const get = (id) => document.getElementById(id);

function textNodes(line) {
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}

// The node and place at which character `at` of the line stands.
function place(nodes, at) {
  let left = at;
  for (const node of nodes) {
    if (left <= node.length) return [node, left];
    left -= node.length;
  }
  return [nodes.at(-1), nodes.at(-1).length];
}

function matchesIn(line, wanted) {
  const text = line.textContent.toLowerCase();
  const found = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length)) {
    const nodes = textNodes(line);
    const range = new StaticRange({
      startContainer: place(nodes, at)[0], startOffset: place(nodes, at)[1],
      endContainer: place(nodes, at + wanted.length)[0], endOffset: place(nodes, at + wanted.length)[1],
    });
    found.push({ line, range });
  }
  return found;
}

export class LogSearch {
  constructor(view, box) {
    Object.assign(this, { view, box, matches: [], current: -1, timer: 0, scanning: null });
    this.input = get("log-search");
    this.input.addEventListener("input", () => this.renewNow(true));
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.stop();
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.go(event.shiftKey ? -1 : 1);
    });
    get("log-next").addEventListener("click", () => this.go(1));
    get("log-previous").addEventListener("click", () => this.go(-1));
    get("log-stop").addEventListener("click", () => this.stop());
  }

  get wanted() {
    return this.input.value.toLowerCase();
  }

  renew() {
    if (!this.input.value || this.timer) return;
    this.timer = setTimeout(() => this.renewNow(false), RENEW_MS);
  }

  renewNow(jump) {
    if (jump) this.stop();
    this.timer = clearTimeout(this.timer) ?? 0;
    const held = this.matches[this.current];
    this.matches = this.wanted ? this.find(this.wanted) : [];
    this.current = jump ? this.matches.length - 1 : this.matches.findIndex((match) => match.line === held?.line);
    this.mark();
    if (jump && this.current >= 0) this.reveal();
  }

  find(wanted) {
    const found = [];
    for (const line of this.box.children) {
      found.push(...matchesIn(line, wanted));
      if (found.length >= MATCHES_LIMIT) break;
    }
    return found;
  }

  go(by) {
    if (this.matches[this.current + by]) this.choose(this.current + by);
    else if (this.wanted && !this.scanning) this.scan(by);
  }

  choose(at) {
    this.current = at;
    this.mark();
    if (this.matches[at]) this.reveal();
  }

  stop() {
    this.scanning?.abort();
  }

  // Past the last match that is loaded: the rest of the file, and round to where the window began.
  async scan(by) {
    const { start, end, size } = this.view.window.range();
    const parts = [[end, size], [0, start]];
    this.scanning = new AbortController();
    get("log-stop").hidden = false;
    const tell = (share) => (get("log-matches").textContent = `searching ${Math.floor(share * 100)}%`);
    try {
      const scan = new LogScan(this.view.source, this.wanted, this.scanning.signal, tell);
      const found = await scan.first(by, by > 0 ? parts : parts.reverse());
      if (found === null) this.choose(by > 0 ? 0 : this.matches.length - 1);
      else await this.jump(found);
    } catch (problem) {
      if (problem.name !== "AbortError") toast(problem.message, true);
      this.mark();
    }
    this.scanning = null;
    get("log-stop").hidden = true;
  }

  async jump(offset) {
    await this.view.showAt(offset);
    this.renewNow(false);
    this.choose(this.matches.findIndex((match) => match.line.offset >= offset));
  }

  mark() {
    get("log-matches").textContent = this.wanted ? this.count() : "";
    if (!CSS.highlights) return;
    CSS.highlights.set("log-match", new Highlight(...this.matches.map((match) => match.range)));
    CSS.highlights.set("log-current", new Highlight(...this.matches.slice(this.current, this.current + 1).map((match) => match.range)));
    CSS.highlights.get("log-current").priority = 1;
  }

  count() {
    const more = this.matches.length >= MATCHES_LIMIT || !this.view.window.whole();
    if (!this.matches.length) return more ? "none here" : "none";
    return `${this.current + 1} of ${this.matches.length}${more ? "+" : ""}`;
  }

  reveal() {
    this.view.reveal(this.matches[this.current].line);
  }
}
