// TensorBoard in its tab: loaded when the tab is first opened, and kept as it is after that.
export function startBoard(panel) {
  const frame = document.getElementById("board");
  const state = document.getElementById("board-state");
  panel.addEventListener("deck:shown", () => {
    if (frame.hasAttribute("src")) return;
    state.textContent = "Opening TensorBoard…";
    frame.addEventListener("load", () => (state.textContent = "TensorBoard"), { once: true });
    frame.src = frame.dataset.src;
  });
}
