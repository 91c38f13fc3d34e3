// The button that goes through the system's colours, light and dark.
import { remember, remembered } from "./remembered.js";

const ORDER = ["system", "light", "dark"];
const WORDS = { system: "as the system", light: "light", dark: "dark" };

function show(theme) {
  const button = document.getElementById("theme");
  const label = `Colours: ${WORDS[theme]}`;
  button.title = `${label} (t)`;
  button.setAttribute("aria-label", label);
  button.querySelector("use").setAttribute("href", `#i-${theme}`);
}

function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember("theme", theme === "system" ? null : theme);
  show(theme);
  document.dispatchEvent(new CustomEvent("deck:theme"));
}

export function startTheme() {
  const current = () => remembered("theme", "system");
  show(current());
  document.getElementById("theme").addEventListener("click", () => {
    apply(ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("deck:theme"));
  });
}
