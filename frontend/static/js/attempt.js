// Which attempt the curves, the log and the files are of: "" for the current one, whichever that is.
// Tells document: deck:attempt with the choice.
const chooser = document.getElementById("attempt");
let chosen = "";

// Whoever reads an older attempt's is left there when the run begins anew.
function offer(count) {
  while (chooser.length < count) chooser.add(new Option(chooser.length + 1));
  chooser.value = chosen || count;
  chooser.closest("label").hidden = count < 2;
}

export function startAttempt() {
  chooser.addEventListener("change", () => {
    chosen = chooser.selectedIndex === chooser.length - 1 ? "" : chooser.value;
    document.dispatchEvent(new CustomEvent("deck:attempt", { detail: chosen }));
  });
  document.addEventListener("deck:run", (event) => offer(event.detail.attempt));
}
