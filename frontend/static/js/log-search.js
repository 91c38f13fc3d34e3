// Finds text in the lines that are loaded, marks it, and goes from match to match.
// Marks are CSS highlights: the lines themselves are not touched, so selections survive.
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
  constructor(scroller, box, onJump) {
    Object.assign(this, { scroller, box, onJump, matches: [], current: -1, timer: 0 });
    this.input = get("log-search");
    this.input.addEventListener("input", () => this.renewNow(true));
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.go(event.shiftKey ? -1 : 1);
    });
    get("log-next").addEventListener("click", () => this.go(1));
    get("log-previous").addEventListener("click", () => this.go(-1));
  }

  renew() {
    if (!this.input.value || this.timer) return;
    this.timer = setTimeout(() => this.renewNow(false), RENEW_MS);
  }

  renewNow(jump) {
    this.timer = clearTimeout(this.timer) ?? 0;
    const wanted = this.input.value.toLowerCase();
    const held = this.matches[this.current];
    this.matches = wanted ? this.find(wanted) : [];
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
    if (!this.matches.length) return;
    this.current = (this.current + by + this.matches.length) % this.matches.length;
    this.mark();
    this.reveal();
  }

  mark() {
    const many = this.matches.length >= MATCHES_LIMIT ? "+" : "";
    const count = this.matches.length ? `${this.current + 1} of ${this.matches.length}${many}` : "none";
    get("log-matches").textContent = this.input.value ? count : "";
    if (!CSS.highlights) return;
    CSS.highlights.set("log-match", new Highlight(...this.matches.map((match) => match.range)));
    CSS.highlights.set("log-current", new Highlight(...this.matches.slice(this.current, this.current + 1).map((match) => match.range)));
    CSS.highlights.get("log-current").priority = 1;
  }

  reveal() {
    const { line } = this.matches[this.current];
    this.onJump();
    const frame = this.scroller.getBoundingClientRect();
    this.scroller.scrollTop += line.getBoundingClientRect().top - frame.top - frame.height / 2;
  }
}
