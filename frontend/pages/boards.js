// The page around a TensorBoard of several runs.
import "./shared.css";
import "../static/css/tabs.css";
import "../static/css/board.css";
import "../static/js/boards.js";
// Last: its keys press what the page's own scripts have brought to life.
import "../static/js/shell.js";
