// The text in the bar above TensorBoard.
import { showBytes } from "./numbers.js";

const percent = ({ read_bytes, disk_bytes }) => (disk_bytes ? Math.floor((100 * read_bytes) / disk_bytes) : 0);

export function stateWords(state, { wasOpen, isLoaded }) {
  if (state.state === "away") return wasOpen ? "TensorBoard has stopped, and is starting again…" : "TensorBoard is starting…";
  if (!isLoaded) return wasOpen ? "Opening TensorBoard again…" : "Opening TensorBoard…";
  // The runs of the board changed, or it was closed while idle: the next reload opens it. No other text says so.
  if (state.state === "closed") return wasOpen ? "Reading the changes…" : "Opening TensorBoard…";
  if (state.state === "full") return `Too large for TensorBoard's memory: the first ${percent(state)} % are shown`;
  return state.state === "reading" ? `Reading, ${percent(state)} %` : "Up to date";
}

export function stateFacts(state, isFinal) {
  if (state.state === "away") return state.reason;
  if (state.state === "closed") return showBytes(state.disk_bytes);
  const facts = [];
  if (state.last_step !== null) facts.push(`step ${state.last_step.toLocaleString("en")}`);
  facts.push(showBytes(state.disk_bytes));
  if (state.state === "full") facts.push("TRAINDECK_BOARD_MEMORY_MB sets the limit");
  const rest = state.disk_bytes - state.read_bytes;
  // While a run writes, its last record may be incomplete.
  if (state.state === "current" && isFinal && rest > 0) facts.push(`${showBytes(rest)} of it damaged`);
  return facts.join(" · ");
}
