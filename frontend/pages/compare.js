// Runs beside each other.
import "./shared.css";
import "../static/css/charts.css";
import "../static/css/diff.css";
import "../static/css/compare.css";
import "../static/vendor/uplot.css";
import "../static/js/compare.js";
// Last: its keys press what the page's own scripts have brought to life.
import "../static/js/shell.js";
