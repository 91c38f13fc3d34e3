// The parameters of one form: which exist, their values, and their errors.
import { ParamField } from "./param-field.js";

const value = (field) => (field.json() === undefined ? undefined : JSON.parse(field.json()));

export class ParamSet {
  constructor(root) {
    this.root = root;
    this.read();
  }

  read() {
    this.fields = [...this.root.querySelectorAll("[data-param]")].map((element) => new ParamField(element));
  }

  named(name) {
    return this.fields.find((field) => field.name === name);
  }

  // The parameters of a subcommand exist while it is selected.
  there() {
    return this.fields.filter((field) => Object.entries(field.when).every(([name, wanted]) => this.named(name) && value(this.named(name)) === wanted));
  }

  update() {
    const there = new Set(this.there());
    for (const field of this.fields) {
      field.update();
      field.element.hidden = !there.has(field);
    }
    for (const group of this.root.querySelectorAll("[data-group]")) {
      group.hidden = !group.querySelector("[data-param]:not([hidden])");
    }
  }

  changed() {
    return this.there().filter((field) => field.changed());
  }

  params() {
    return Object.fromEntries(this.changed().map((field) => [field.name, value(field)]));
  }

  all() {
    return Object.fromEntries(this.there().filter((field) => field.json() !== undefined).map((field) => [field.name, value(field)]));
  }

  complaints() {
    return this.there().map((field) => ({ field: `params.${field.name}`, message: field.complaint() || this.rivalry(field) })).filter((each) => each.message);
  }

  // Return the error of a field in a group of options that exclude each other, or of which one is required.
  rivalry(field) {
    for (const { names, required } of field.exclusive) {
      const given = names.map((name) => this.named(name)).filter((each) => each?.changed());
      if (given.length > 1 && given[0] !== field && given.includes(field)) return `It cannot be given together with ${given[0].name}.`;
      if (required && !given.length && names[0] === field.name) return `One of ${names.join(", ")} is needed.`;
    }
    return "";
  }
}
