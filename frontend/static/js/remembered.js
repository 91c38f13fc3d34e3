// Small choices that outlive the page: the smoothing of charts, whether a log is wrapped.
const PREFIX = "traindeck-";

export function remembered(name, otherwise) {
  try {
    return localStorage.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Storage may be full or forbidden: the choice lasts as long as the page.
  }
}
