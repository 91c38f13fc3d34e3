// Format numbers for people, as pages/numbers.py does.
const UNITS = ["B", "kB", "MB", "GB", "TB"];
const pad = (count) => String(count).padStart(2, "0");

export function showValue(value) {
  if (value === null || !Number.isFinite(value)) return "NaN";
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(2).replace("e+", "e");
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size >= 0.01 && size < 1) return Number(value.toPrecision(4)).toFixed(4);
  return String(Number(value.toPrecision(4)));
}

// Return the form of an English noun for a count; a noun that ends in "s" stays unchanged. The same as in wording.py.
export function plural(count, noun) {
  if (count === 1 || noun.endsWith("s")) return noun;
  if (noun.endsWith("y") && !/[aeou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(ch|sh|x)$/.test(noun) && !noun.endsWith("epoch") ? `${noun}es` : `${noun}s`;
}

export const counted = (count, noun) => `${count.toLocaleString("en")} ${plural(count, noun)}`;

export function showBytes(size) {
  let amount = size;
  let unit = 0;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${size} B` : `${Number(amount.toPrecision(3))} ${UNITS[unit]}`;
}

export function showDuration(seconds) {
  const whole = Math.max(Math.trunc(seconds), 0);
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(whole / unit));
  if (days) return `${days}d ${pad(hours % 24)}h`;
  if (hours) return `${hours}h ${pad(minutes % 60)}m`;
  if (minutes) return `${minutes}m ${pad(whole % 60)}s`;
  return `${whole}s`;
}
