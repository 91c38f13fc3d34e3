// What every page does.
import "../vendor/htmx.js";
import { startActions } from "./actions.js";
import { startLive } from "./live.js";
import { startRefresh } from "./refresh.js";
import { startShortcuts } from "./shortcuts.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";

startTheme();
startTimes();
startActions();
startShortcuts();
startRefresh();
startLive();
