// Turn terminal colors into spans with classes. All other control sequences are dropped; the text is kept.
import { withoutOverrides } from "./visible.js";

// Sequences of ECMA-48: CSI, OSC (ended by BEL or ST), and those of two characters.
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b(?:\[([0-9;:]*)([ -/]*[@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_]|[ -/][0-~])/g;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]|\x1b/g;
const STYLES = { 1: "a-bold", 2: "a-dim", 3: "a-italic", 4: "a-underline" };

function restyled(style, codes) {
  let next = { ...style };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) next = {};
    else if (code in STYLES) next[STYLES[code]] = true;
    else if (code === 22) delete next["a-bold"], delete next["a-dim"];
    else if (code === 39) next.color = undefined;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next.color = `a-${code}`;
    // 256 colors and true color are ignored, with their numbers.
    else if (code === 38 || code === 48) at += codes[at + 1] === 2 ? 4 : 2;
  }
  return next;
}

function classes(style) {
  return Object.entries(style).filter(([, on]) => on).map(([name, on]) => (name === "color" ? on : name)).join(" ");
}

function piece(text, style) {
  const clean = withoutOverrides(text.replace(CONTROL, ""));
  const name = classes(style);
  if (!clean || !name) return clean;
  const span = document.createElement("span");
  span.className = name;
  span.textContent = clean;
  return span;
}

// Return the nodes that show one line.
export function ansiNodes(text) {
  if (!text.includes("\x1b")) return [withoutOverrides(text.replace(CONTROL, ""))];
  const nodes = [];
  let style = {};
  let from = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    nodes.push(piece(text.slice(from, match.index), style));
    if (match[2] === "m") style = restyled(style, (match[1] || "0").split(/[;:]/).map(Number));
    from = match.index + match[0].length;
  }
  nodes.push(piece(text.slice(from), style));
  return nodes.filter((node) => node !== "");
}
