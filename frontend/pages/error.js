// The page of an error.
import "./shared.css";
// Last: its shortcuts press buttons that the scripts of the page have activated.
import "../static/js/shell.js";
