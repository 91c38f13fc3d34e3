// Runs before the first paint, so that a chosen theme never flashes the other one. A classic script on purpose.
(() => {
  try {
    const chosen = localStorage.getItem("traindeck-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden: the system's colours are used.
  }
})();
