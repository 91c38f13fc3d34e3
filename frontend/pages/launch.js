// The launch form.
import "./shared.css";
import "../static/css/tabs.css";
import "../static/css/launch.css";
import "../static/css/script.css";
import "../static/js/launch.js";
// Last: its shortcuts press buttons that the scripts of the page have activated.
import "../static/js/shell.js";
