// The script's two origins: a path on the server's machine, or pasted source.
export function startScript(update) {
  const part = (name) => document.querySelector(`[data-field="script.${name}"]`);
  document.querySelectorAll("[name=from]").forEach((radio) => {
    radio.addEventListener("change", () => {
      const pasted = radio.value === "source";
      part("path").hidden = pasted;
      part("source").hidden = !pasted;
      part("filename").hidden = !pasted;
      update();
    });
  });
}
