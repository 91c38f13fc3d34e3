// The page with the TensorBoard of several runs.
import "./shared.css";
import "../static/css/tabs.css";
import "../static/css/board.css";
import "../static/js/boards.js";
// Last: its shortcuts press buttons that the scripts of the page have activated.
import "../static/js/shell.js";
