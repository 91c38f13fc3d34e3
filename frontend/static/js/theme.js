// The button that switches between the colors of the system, light and dark. A cookie keeps the choice, and the server
// renders the page in these colors, so that it never flashes in others.
const ORDER = ["system", "light", "dark"];
const KEPT_SECONDS = 400 * 86_400;
const WORDS = { system: "as the system", light: "light", dark: "dark" };

function show(theme) {
  const button = document.getElementById("theme");
  const label = `Colors: ${WORDS[theme]}`;
  button.title = `${label} (t)`;
  button.setAttribute("aria-label", label);
  button.querySelector("use").setAttribute("href", `#i-${theme}`);
}

function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.cookie = `traindeck-theme=${theme}; path=/; samesite=lax; max-age=${theme === "system" ? 0 : KEPT_SECONDS}`;
  show(theme);
  document.dispatchEvent(new CustomEvent("deck:theme"));
}

export function startTheme() {
  const current = () => document.documentElement.dataset.theme ?? "system";
  show(current());
  document.getElementById("theme").addEventListener("click", () => {
    apply(ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("deck:theme"));
  });
}
