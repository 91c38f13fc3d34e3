// Puts what is wrong beside the field that it is about, and takes the reader to the first one.
import { visible } from "./visible.js";

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
    this.form.querySelector(".invalid :is(input, select, textarea)")?.focus();
  }

  at(field, message) {
    const element = this.form.querySelector(`[data-field="${CSS.escape(field)}"]`) ?? this.form.querySelector(`[data-field="${CSS.escape(field.split(".")[0])}"]`);
    if (!element || element.closest("[role=tabpanel][hidden]")) return false;
    const folded = element.closest("details");
    if (folded) folded.open = true;
    this.put(element, message);
    return true;
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
