// One parameter of the launch form: its value as JSON, whether it differs from the default, and its error.
import { counted } from "./numbers.js";
import { quoteWord, splitWords } from "./shell-words.js";

const UNLIMITED = ["inf", "-inf", "nan"];

export class ParamField {
  constructor(element) {
    this.element = element;
    this.input = element.querySelector("input, select, textarea");
    this.button = element.querySelector("[data-reset]");
    const { param, kind, defaultJson, item, flag, when, exclusive } = element.dataset;
    Object.assign(this, { name: param, kind, defaultJson });
    this.item = item ? JSON.parse(item) : {};
    this.flag = flag ? JSON.parse(flag) : null;
    this.when = when ? JSON.parse(when) : {};
    this.exclusive = exclusive ? JSON.parse(exclusive) : [];
    this.button.addEventListener("click", () => this.reset());
  }

  get required() {
    return "required" in this.element.dataset;
  }

  // Return the value as JSON text, or undefined if it is empty or cannot be read.
  json() {
    const text = this.input.value.trim();
    if (this.kind === "boolean") return String(this.input.checked);
    if (this.kind === "choice") return text || undefined;
    if (text === "" && !this.mayBeEmpty()) return this.isNullable() ? "null" : undefined;
    if (this.kind === "text") return JSON.stringify(this.input.value);
    if (this.kind === "json") return parses(text) ? text : undefined;
    if (this.kind === "list") return this.listJson(splitWords(text));
    return numberJson(text, this.kind === "real");
  }

  // Each value of a tuple has its own type.
  itemAt(place) {
    return this.item.prefixItems?.[place] ?? this.item;
  }

  listJson(words) {
    const items = words.map((word, place) => itemJson(word, this.itemAt(place)));
    return items.includes(undefined) ? undefined : `[${items.join(",")}]`;
  }

  // An empty required text was more likely forgotten than intended.
  mayBeEmpty() {
    return ["text", "list"].includes(this.kind) && !this.required && !this.isNullable();
  }

  isNullable() {
    return "nullable" in this.element.dataset;
  }

  changed() {
    const json = this.json();
    return json !== undefined && (this.defaultJson === "" || !same(json, this.defaultJson));
  }

  // Return the error of the value as a sentence, or "".
  complaint() {
    if (this.input.validity.badInput) return "Enter a number.";
    const json = this.json();
    if (json === undefined) return this.required || this.defaultJson !== "null" || this.input.value.trim() ? this.unreadable() : "";
    if (json === "null") return "";
    if (this.kind === "list") return this.wrongList(JSON.parse(json));
    return ["integer", "number", "real"].includes(this.kind) ? this.outOfBounds(Number(JSON.parse(json).toString().replace("inf", "Infinity"))) : "";
  }

  unreadable() {
    const text = this.input.value.trim();
    if (!text) return "Enter a value.";
    if (this.kind === "json") return "Enter valid JSON.";
    if (this.kind !== "list") return "Enter a number.";
    const words = splitWords(text);
    const place = words.findIndex((word, at) => itemJson(word, this.itemAt(at)) === undefined);
    const [wrong, item] = [words[place], this.itemAt(place)];
    return item.enum ? `${wrong} is not one of ${item.enum.join(", ")}.` : `${wrong} is not a ${item.type === "integer" ? "whole " : ""}number.`;
  }

  wrongList(values) {
    const { least, most } = this.element.dataset;
    if (least !== "" && least === most && values.length !== Number(least)) return `Enter ${counted(Number(least), "value")}; there are ${values.length} now.`;
    if (least !== "" && values.length < Number(least)) return `Enter at least ${counted(Number(least), "value")}.`;
    return "";
  }

  outOfBounds(value) {
    const { least, most, openLeast, openMost } = this.element.dataset;
    if (this.kind === "integer" && !Number.isInteger(value)) return "Enter a whole number.";
    if (least !== "" && openLeast !== undefined && value <= Number(least)) return `It must be above ${least}.`;
    if (least !== "" && value < Number(least)) return `It must be at least ${least}.`;
    if (most !== "" && openMost !== undefined && value >= Number(most)) return `It must be below ${most}.`;
    if (most !== "" && value > Number(most)) return `It must be at most ${most}.`;
    return "";
  }

  // Fill in a value from JSON.
  put(value) {
    if (this.kind === "boolean") this.input.checked = value === true;
    else if (this.kind === "choice") this.input.value = [...this.input.options].find((option) => option.value && same(option.value, JSON.stringify(value)))?.value ?? "";
    else if (value === null) this.input.value = "";
    else if (this.kind === "list" && Array.isArray(value)) this.input.value = value.map((one) => quoteWord(String(one))).join(" ");
    else this.input.value = typeof value === "object" ? JSON.stringify(value) : String(value);
  }

  reset() {
    if (this.kind === "boolean") this.input.checked = this.element.dataset.default === "true";
    else this.input.value = this.kind === "choice" ? this.defaultJson : this.element.dataset.default;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
    this.input.focus();
  }

  update() {
    const changed = this.changed() && this.defaultJson !== "";
    this.element.classList.toggle("changed", changed);
    this.button.hidden = !changed;
  }
}

function numberJson(text, unlimited) {
  if (unlimited && UNLIMITED.includes(text.toLowerCase())) return JSON.stringify(text.toLowerCase());
  return text !== "" && Number.isFinite(Number(text)) ? JSON.stringify(Number(text)) : undefined;
}

function itemJson(word, item) {
  if (item.enum) {
    const found = item.enum.find((one) => String(one) === word);
    return found === undefined ? undefined : JSON.stringify(found);
  }
  if (item.type === "integer" && !/^[+-]?\d+$/.test(word)) return undefined;
  return ["integer", "number"].includes(item.type) ? numberJson(word, item.type === "number") : JSON.stringify(word);
}

function parses(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const same = (one, two) => JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(two));
