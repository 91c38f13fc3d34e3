// The comparison of runs.
import { startCompareWith } from "./compare-with.js";
import { startDiffs } from "./diff.js";
import { startDirections } from "./directions.js";
import { Overlays } from "./overlays.js";

new Overlays(document.getElementById("curves")).start();
startCompareWith();
startDiffs(document);
startDirections();
