// The list of runs.
import "./shared.css";
import "../static/css/runs.css";
import "../static/js/runs.js";
import "../static/js/import.js";
// Last: its shortcuts press buttons that the scripts of the page have activated.
import "../static/js/shell.js";
