// What a browser is shown in the place of a page.
import "./shared.css";
// Last: its keys press what the page's own scripts have brought to life.
import "../static/js/shell.js";
