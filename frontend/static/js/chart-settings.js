// How charts are drawn: smoothing, scale and x axis, with one setting for all charts.
import { afterPaint, once } from "./painted.js";
import { remember, remembered } from "./remembered.js";

export const settings = once(() => ({
  smoothing: Number(remembered("smoothing", "0")) || 0,
  logScale: remembered("log-scale", "no") === "yes",
  axis: remembered("x-axis", "step") === "time" ? "time" : "step",
}));

function changed(name, value) {
  remember(name, value);
  document.dispatchEvent(new CustomEvent("deck:chart-settings"));
}

export function startChartSettings() {
  const [slider, shown, scale, axis] = ["smoothing", "smoothing-value", "log-scale", "x-axis"].map((id) => document.getElementById(id));
  afterPaint(() => {
    slider.value = settings().smoothing;
    shown.value = settings().smoothing || "off";
    scale.checked = settings().logScale;
    axis.value = settings().axis;
  });
  slider.addEventListener("input", () => {
    settings().smoothing = Number(slider.value);
    shown.value = settings().smoothing || "off";
    changed("smoothing", slider.value);
  });
  scale.addEventListener("change", () => {
    settings().logScale = scale.checked;
    changed("log-scale", scale.checked ? "yes" : "no");
  });
  axis.addEventListener("change", () => {
    settings().axis = axis.value;
    changed("x-axis", axis.value);
  });
}
