// The comparison of runs.
import "./shared.css";
import "../static/css/charts.css";
import "../static/css/diff.css";
import "../static/css/compare.css";
import "../static/vendor/uplot.css";
import "../static/js/compare.js";
// Last: its shortcuts press buttons that the scripts of the page have activated.
import "../static/js/shell.js";
