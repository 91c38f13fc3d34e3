// The attempt that the curves, the log and the files belong to: "" for the current one. A choice dispatches
// deck:attempt on the document.
const chooser = document.getElementById("attempt");
let chosen = "";

// A reader of an older attempt stays there when the run starts again.
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
