// The page with the TensorBoard of several runs.
import { Board } from "./board.js";

const NOTHING = ["empty", "gone"];

class Runs {
  constructor(panel) {
    Object.assign(this, { stateUrl: panel.dataset.state, home: document.getElementById("crumb-runs"), hasData: false, live: true });
    this.count = document.getElementById("board-count");
  }

  get isFinal() {
    return !this.live;
  }

  heed({ live, count }) {
    this.live = live;
    if (this.count.textContent === count) return;
    document.title = document.title.replace(this.count.textContent, count);
    this.count.textContent = count;
  }

  none({ state, runs }) {
    if (!runs) return "nobody";
    if (!NOTHING.includes(state)) return "";
    if (!this.isFinal) return "empty";
    return state === "gone" ? "gone" : "silent";
  }

  isForGood(none) {
    return none !== "" && this.isFinal;
  }
}

const panel = document.getElementById("panel-tensorboard");
const board = new Board(panel, new Runs(panel));
board.start();
board.enter();
