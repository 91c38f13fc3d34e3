// Small settings that outlive the page: the smoothing of charts, line wrap of the log.
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
    // Storage may be full or blocked: the setting lasts until the page is closed.
  }
}
