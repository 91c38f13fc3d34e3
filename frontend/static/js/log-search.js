// Find text in the log and move between matches: in the loaded lines here, in all others on the server. Marks are CSS
// highlights, which do not change the lines, so selections survive.
import { toast } from "./toast.js";

const MATCHES_LIMIT = 5000;
const RENEW_MS = 150;
// Ask for the next match, and for more if the first one was visible already.
const ENOUGH = 8;
const BYTES_EACH = 4;
const get = (id) => document.getElementById(id);

function textNodes(line) {
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}

// Return the node and the offset in it of character `at` of the line.
function place(nodes, at) {
  let left = at;
  for (const node of nodes) {
    if (left <= node.length) return [node, left];
    left -= node.length;
  }
  return [nodes.at(-1), nodes.at(-1).length];
}

// A line that was split for its length continues in the next row, and a match may be in both.
function matchesIn(line, wanted) {
  const rest = line.cut && line.nextSibling;
  const own = line.textContent.toLowerCase();
  const text = rest ? own + rest.textContent.slice(0, wanted.length - 1).toLowerCase() : own;
  const found = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length)) {
    const nodes = rest ? [...textNodes(line), ...textNodes(rest)] : textNodes(line);
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

  // Beyond the last loaded match: search the rest of the file, then from its start to the window.
  async scan(by) {
    const { start, end, size } = this.view.window.range();
    const parts = [{ offset: this.continued(end), size }, { offset: 0, until: start, size: start }];
    this.scanning = new AbortController();
    get("log-stop").hidden = false;
    try {
      const found = await this.first(by, by > 0 ? parts : parts.reverse(), end);
      if (found === null) this.choose(by > 0 ? 0 : this.matches.length - 1);
      else await this.jump(found, by);
    } catch (problem) {
      if (problem.name !== "AbortError") toast(problem.message, true);
      this.mark();
    }
    this.scanning = null;
    get("log-stop").hidden = true;
  }

  // A match may begin in a line that was split at the end of the window.
  continued(end) {
    const last = this.box.lastElementChild;
    return last?.cut ? Math.max(end - BYTES_EACH * this.wanted.length, last.offset) : end;
  }

  // Return the offset of the first match in the given parts of the file, or null. Responses to long searches end early.
  async first(by, parts, loadedTo) {
    const total = parts.reduce((sum, { offset, size }) => sum + Math.max(size - offset, 0), 0);
    let before = 0;
    const tell = (searched) => (get("log-matches").textContent = `searching ${Math.min(Math.floor((100 * (before + searched)) / total) || 0, 99)}%`);
    tell(0);
    for (let part of parts) {
      while (part) {
        let next = null;
        for await (const record of this.ask(by, part)) {
          if (record.end > loadedTo || record.offset < part.until) return record.offset;
          if (record.searched !== undefined) tell(record.searched);
          if (record.size === undefined) continue;
          before += record.searched;
          next = record.next;
        }
        part = next === null ? null : by > 0 ? { ...part, offset: next } : { ...part, until: next };
      }
    }
    return null;
  }

  ask(by, { offset, until }) {
    const query = { q: this.input.value, offset, limit: ENOUGH, ...(until !== undefined && { until }), ...(by < 0 && { backwards: true }) };
    return this.view.source.search(query, this.scanning.signal);
  }

  // Move to the row with the byte at `offset`; when moving up, to the last match in it.
  async jump(offset, by) {
    await this.view.showAt(offset);
    this.renewNow(false);
    const first = this.matches.findIndex(({ line }) => (line.nextSibling?.offset ?? Infinity) > offset);
    const row = this.matches[first]?.line;
    this.choose(by > 0 ? first : this.matches.findLastIndex(({ line }) => line === row));
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
    if (!this.matches.length) return more ? "no match here" : "none";
    return `${this.current + 1} of ${this.matches.length}${more ? "+" : ""}`;
  }

  reveal() {
    this.view.reveal(this.matches[this.current].line);
  }
}
