// The page of one run.
import { startAgain } from "./again.js";
import { startAttempt } from "./attempt.js";
import { startBoard } from "./board.js";
import { startCharts } from "./charts.js";
import { startEdit } from "./edit.js";
import { startCompareWith } from "./compare-with.js";
import { Files } from "./files.js";
import { LogView } from "./log-view.js";
import { leave } from "./refresh.js";
import { Setup } from "./setup.js";
import { startTabs } from "./tabs.js";

const panel = (name) => document.getElementById(`panel-${name}`);
const id = Number(document.getElementById("run").dataset.run);
const url = `/runs/${id}`;

new Files(panel("files"), url);
new LogView(panel("log"), url);
new Setup(panel("setup"), url);
startAgain(url);
startAttempt();
startBoard(panel("tensorboard"), url);
startCharts(url);
startCompareWith();
startEdit(url);
startTabs(document.getElementById("tabs"));

document.addEventListener("deck:deleted", (event) => {
  if (event.detail.id === id) leave();
});
