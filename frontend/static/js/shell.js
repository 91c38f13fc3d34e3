// The scripts of every page.
import "../vendor/htmx.js";
import { startActions } from "./actions.js";
import { startCopy } from "./copy.js";
import { startLive } from "./live.js";
import { startRefresh } from "./refresh.js";
import { startShortcuts } from "./shortcuts.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startToasts } from "./toast.js";

startTheme();
startTimes();
startToasts();
startActions();
startCopy();
startShortcuts();
startRefresh();
startLive();
