// The options of the script as fields: requested when the script changes, filled in from typed arguments.
import { sendJson } from "./api.js";
import { counted } from "./numbers.js";
import { quoteWord, splitWords } from "./shell-words.js";
import { visible } from "./visible.js";

const QUIET_MS = 400;
const BUSY_MS = 250;
const MANY = 16;

const get = (id) => document.getElementById(id);
const PLAIN = "Arguments are split as in a shell. Quote values with spaces.";
const UNREAD = "The options have not been read yet. Reading them runs the script up to its parser.";

// `asked` returns the script or the run as a body of POST /launch/options, or null if none is named yet.
export class Options {
  constructor({ set, errors, asked, changed }) {
    Object.assign(this, { set, errors, asked, changed, form: "", known: "", wanted: false, typed: new Map() });
    this.args = get("script-args");
    // For a repeat: the arguments of the run without those that have fields.
    this.keptArgs = splitWords(this.args.defaultValue);
    this.args.addEventListener("change", () => this.ask(splitWords(this.args.value)));
    get("read-options").addEventListener("click", () => this.want());
  }

  // Reading the options executes the script, and any site can link to a form that names one. So the page shows what is
  // known, and requests options only after the user named a script or pressed the button.
  look() {
    if (this.wanted) return this.ask();
    const { known } = this.set.root.dataset;
    if (!known || !this.asked()) return this.offer();
    const answer = JSON.parse(known);
    const given = splitWords(this.args.value);
    this.keptArgs = answer.rest;
    this.show(answer, JSON.stringify(this.asked()), given);
  }

  offer() {
    get("read-options").hidden = !this.asked();
    this.say(this.asked() ? UNREAD : PLAIN);
  }

  want() {
    this.wanted = true;
    return this.ask();
  }

  // Request the options when the script has not changed for a moment.
  schedule() {
    this.wanted = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), QUIET_MS);
  }

  async ask(args = []) {
    clearTimeout(this.timer);
    const body = this.asked();
    const key = JSON.stringify(body);
    if (!this.wanted && !(this.form && args.length)) return;
    if (key === this.known && (!args.length || !this.form)) return;
    this.asking?.abort();
    if (!body) return this.show({ form: "", html: "", reason: "", params: {}, rest: [], errors: [] }, key);
    this.asking = new AbortController();
    const busy = setTimeout(() => this.say("Reading the script's options…"), BUSY_MS);
    try {
      const first = this.known === "";
      const given = first && !args.length ? splitWords(this.args.value) : args;
      const answer = await sendJson("POST", "/launch/options", { ...body, args: given, form: this.form }, {}, this.asking.signal);
      if (first) this.keptArgs = answer.rest;
      this.show(answer, key, given);
    } catch (problem) {
      if (problem.name !== "AbortError") this.refused(problem, key);
    } finally {
      clearTimeout(busy);
    }
  }

  show(answer, key, args = []) {
    this.known = key;
    get("read-options").hidden = true;
    if (answer.html !== null) this.swap(answer.html);
    this.form = answer.form;
    const wrong = answer.errors[0]?.message ?? "";
    this.errors.put(get("arguments"), wrong);
    const filled = Object.keys(answer.params);
    filled.forEach((name) => this.set.named(name)?.put(answer.params[name]));
    if (args.length && this.form && !wrong) {
      this.args.value = answer.rest.map(quoteWord).join(" ");
    }
    this.say(this.told(answer, filled));
    this.changed();
  }

  told({ form, reason, problem }, filled) {
    if (problem) return problem;
    if (filled.length) return `Filled in below: ${filled.join(", ")}.`;
    if (form) return `${counted(this.set.fields.length, "option")} below. Arguments that you type here fill the fields.`;
    return reason ? `No form: ${reason}. Give arguments as text.` : PLAIN;
  }

  refused(problem, key) {
    this.known = key;
    get("read-options").hidden = true;
    this.swap("");
    this.form = "";
    this.say(problem.errors[0]?.message ?? problem.message);
    this.changed();
  }

  say(text) {
    get("options-status").textContent = visible(text);
  }

  // Typed values survive if the option still exists.
  swap(html) {
    for (const field of this.set.fields) {
      const kept = field.changed() || field.complaint();
      if (kept) this.typed.set(field.name, { kind: field.kind, value: field.input.value, checked: field.input.checked });
      else this.typed.delete(field.name);
    }
    const focused = document.activeElement?.id;
    this.set.root.innerHTML = html;
    this.set.read();
    for (const field of this.set.fields) {
      const kept = this.typed.get(field.name);
      if (kept?.kind === field.kind) Object.assign(field.input, { value: kept.value, checked: kept.checked });
    }
    if (focused) get(focused)?.focus({ preventScroll: true });
    this.filterable();
  }

  filterable() {
    get("options-filter").hidden = this.set.fields.length < MANY;
    get("options-search").value = "";
    get("options-count").textContent = "";
  }
}

// Find a field by its name, its help, and its name on the command line, but not by the hints of the form, which many
// fields share.
function searched({ element, flag }) {
  const hint = element.querySelector(".hint")?.textContent ?? "";
  return `${element.textContent.replace(hint, "")} ${flag?.flags?.join(" ")}`.toLowerCase();
}

export function startFilter(set) {
  const search = get("options-search");
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (field) => words.every((word) => searched(field).includes(word));
    set.fields.forEach((field) => field.element.classList.toggle("filtered", !fits(field)));
    for (const group of set.root.querySelectorAll("[data-group]")) {
      group.classList.toggle("filtered", !group.querySelector("[data-param]:not(.filtered)"));
      if (words.length) group.querySelectorAll("details").forEach((details) => (details.open = true));
    }
    const found = set.fields.filter(fits).length;
    get("options-count").textContent = words.length ? `${found} of ${set.fields.length}` : "";
  });
}
