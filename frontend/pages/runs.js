// The list of runs.
import "./shared.css";
import "../static/css/runs.css";
import "../static/js/runs.js";
import "../static/js/import.js";
// Last: its keys press what the page's own scripts have brought to life.
import "../static/js/shell.js";
