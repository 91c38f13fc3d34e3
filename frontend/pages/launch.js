// The launch form.
import "./shared.css";
import "../static/css/tabs.css";
import "../static/css/launch.css";
import "../static/css/script.css";
import "../static/js/launch.js";
// Last: its keys press what the page's own scripts have brought to life.
import "../static/js/shell.js";
