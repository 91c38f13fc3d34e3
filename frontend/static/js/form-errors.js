// Put each error beside its field, and focus the first one.
import { visible } from "./visible.js";

const INPUT = "input:not([type=file]), select, textarea, button";

export class FormErrors {
  constructor(form, summary) {
    Object.assign(this, { form, summary });
  }

  show(errors, otherwise = "") {
    this.form.querySelectorAll("[data-field]").forEach((element) => this.put(element, ""));
    const homeless = errors.filter(({ field, message }) => !this.at(field, message));
    const told = homeless.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join("\n");
    this.summary.textContent = visible(told || (errors.length ? "" : otherwise));
    this.summary.hidden = !this.summary.textContent;
    this.form.querySelector(".invalid")?.querySelector(INPUT)?.focus();
  }

  at(field, message) {
    const element = this.find(field) ?? this.find(field.split(".")[0]);
    if (!element) return false;
    const folded = element.closest("details");
    if (folded) folded.open = true;
    // Show the field with the error, whatever the user searched for.
    for (let hidden = element.closest(".filtered"); hidden; hidden = hidden.closest(".filtered")) hidden.classList.remove("filtered");
    this.put(element, message);
    return true;
  }

  // A field may occur in several parts of the form, of which one is visible.
  find(field) {
    return [...this.form.querySelectorAll(`[data-field="${CSS.escape(field)}"]`)].find((element) => !element.closest("[hidden]"));
  }

  put(element, message) {
    const wrong = element.querySelector(".field-error");
    wrong.textContent = visible(message);
    wrong.hidden = !message;
    element.classList.toggle("invalid", Boolean(message));
    element.querySelector("input, select, textarea").setAttribute("aria-invalid", String(Boolean(message)));
  }

  clear(element) {
    if (element?.querySelector(".field-error")) this.put(element, "");
  }
}
