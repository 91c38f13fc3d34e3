// The command that launches a run like this one, in the page's own address.
import { startCurl } from "./curl.js";

export function startAgain() {
  const box = document.getElementById("curl");
  if (!box) return;
  const show = startCurl();
  const update = () => show(JSON.parse(box.dataset.body));
  document.addEventListener("htmx:after:swap", update);
  update();
}
