// One run.
import "./shared.css";
import "../static/css/run.css";
import "../static/css/tabs.css";
import "../static/css/charts.css";
import "../static/css/log.css";
import "../static/css/board.css";
import "../static/css/files.css";
import "../static/css/diff.css";
import "../static/css/setup.css";
import "../static/vendor/uplot.css";
import "../static/js/run.js";
// Last: its shortcuts press buttons that the scripts of the page have activated.
import "../static/js/shell.js";
