// One parameter of the launch form: its value as JSON, whether it differs from the default, what is wrong with it.
export class ParamField {
  constructor(element) {
    this.element = element;
    this.input = element.querySelector("input, select, textarea");
    this.button = element.querySelector("[data-reset]");
    this.wrong = element.querySelector(".field-error");
    const { param, kind, defaultJson } = element.dataset;
    Object.assign(this, { name: param, kind, defaultJson });
    this.button.addEventListener("click", () => this.reset());
  }

  get required() {
    return "required" in this.element.dataset;
  }

  // The text of the value's JSON, or undefined where nothing was given or it cannot be read.
  json() {
    const text = this.input.value.trim();
    if (this.kind === "boolean") return String(this.input.checked);
    if (this.kind === "choice") return text || undefined;
    if (text === "" && !this.mayBeEmptyText()) return this.isNullable() ? "null" : undefined;
    if (this.kind === "text") return JSON.stringify(this.input.value);
    if (this.kind === "json") return parses(text) ? text : undefined;
    return Number.isFinite(Number(text)) ? JSON.stringify(Number(text)) : undefined;
  }

  // An empty text where one is required is far more often forgotten than meant.
  mayBeEmptyText() {
    return this.kind === "text" && !this.required && !this.isNullable();
  }

  isNullable() {
    return "nullable" in this.element.dataset;
  }

  changed() {
    const json = this.json();
    return json !== undefined && (this.defaultJson === "" || !same(json, this.defaultJson));
  }

  // What is wrong with the value, as a sentence, or "".
  complaint() {
    if (this.input.validity.badInput) return "This is not a number.";
    const json = this.json();
    if (json === undefined) return this.required || this.defaultJson !== "null" ? this.missing() : "";
    return ["integer", "number"].includes(this.kind) && json !== "null" ? this.outOfBounds(JSON.parse(json)) : "";
  }

  missing() {
    return this.input.value.trim() && this.kind === "json" ? "This is not valid JSON." : "A value is needed here.";
  }

  outOfBounds(value) {
    const { least, most, openLeast, openMost } = this.element.dataset;
    if (this.kind === "integer" && !Number.isInteger(value)) return "A whole number is needed here.";
    if (least !== "" && openLeast !== undefined && value <= Number(least)) return `It must be above ${least}.`;
    if (least !== "" && value < Number(least)) return `It must be at least ${least}.`;
    if (most !== "" && openMost !== undefined && value >= Number(most)) return `It must be below ${most}.`;
    if (most !== "" && value > Number(most)) return `It must be at most ${most}.`;
    return "";
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

function parses(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const same = (one, two) => JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(two));
