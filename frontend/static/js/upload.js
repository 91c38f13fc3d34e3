// Send a script, a zip file or a folder to the deck, show the progress, and let the user select the file to start.
import { dropped } from "./dropped.js";
import { counted, showBytes } from "./numbers.js";
import { visible } from "./visible.js";

const LEFT_OUT = new Set(["__pycache__", "node_modules", "venv"]);
const get = (id) => document.getElementById(id);

export class Upload {
  constructor(errors, changed) {
    Object.assign(this, { errors, changed, digest: "", name: "", sending: null });
    get("pick-file").addEventListener("click", () => get("upload-file").click());
    get("pick-folder").addEventListener("click", () => get("upload-folder").click());
    for (const input of [get("upload-file"), get("upload-folder")]) {
      input.addEventListener("change", () => this.send([...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }))));
    }
    get("script-entry").addEventListener("change", () => changed());
    this.listen(get("drop"));
  }

  listen(zone) {
    const over = (is) => zone.classList.toggle("over", is);
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    zone.addEventListener("dragleave", () => over(false));
    zone.addEventListener("drop", async (event) => {
      event.preventDefault();
      over(false);
      this.send(await dropped(event.dataTransfer));
    });
  }

  // Return [the field, what is missing], or true.
  complaint() {
    if (this.digest) return true;
    return ["script.upload", this.sending ? "Wait for the upload to finish." : "Choose a file or a folder."];
  }

  send(files) {
    const kept = files.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".") || LEFT_OUT.has(part)));
    // Allow the same file to be selected again after it was changed.
    get("upload-file").value = get("upload-folder").value = "";
    if (!kept.length) return;
    this.sending?.abort();
    this.forget();
    this.name = kept[0].path.split("/")[0];
    this.single = kept.length === 1 && !kept[0].path.includes("/");
    const [bytes, limit] = [kept.reduce((sum, { file }) => sum + file.size, 0), Number(get("drop").dataset.limit)];
    // A deck that refuses a large upload closes the connection, and the browser gets no reason.
    if (bytes > limit) return this.complain(`This is ${showBytes(bytes)}, and the limit is ${showBytes(limit)}. Leave out data.`);
    const form = new FormData();
    kept.forEach(({ file, path }) => form.append("file", file, path));
    this.say(`Sending ${this.name}…`);
    this.post(form);
  }

  // Not fetch: only XMLHttpRequest reports how much was sent.
  post(form) {
    const sending = (this.sending = new XMLHttpRequest());
    const bar = get("upload-progress");
    bar.classList.remove("waits");
    bar.value = 0;
    sending.upload.addEventListener("progress", ({ loaded, total }) => (bar.value = loaded / total));
    sending.addEventListener("loadend", () => {
      if (this.sending !== sending) return;
      this.sending = null;
      bar.classList.add("waits");
      this.ended(sending);
    });
    sending.open("POST", "/uploads");
    sending.setRequestHeader("Accept", "application/json");
    sending.send(form);
  }

  ended(sending) {
    const answer = read(sending.responseText);
    if (sending.status !== 201) {
      this.say("");
      this.complain(answer.errors?.[0]?.message ?? answer.detail ?? "The upload failed. Check that the server is running.");
    } else {
      this.received(answer);
    }
    this.changed();
  }

  received({ upload, files, entries, bytes }) {
    this.say(`${this.name}: ${counted(files.length, "file")}, ${showBytes(bytes)}.`);
    get("script-entry").replaceChildren(...entries.map((entry) => new Option(entry, entry)));
    get("entry-field").classList.toggle("waits", !entries.length);
    if (entries.length) this.digest = upload;
    else this.complain("The upload contains no Python file to start.");
  }

  forget() {
    this.digest = "";
    get("entry-field").classList.add("waits");
    get("script-entry").replaceChildren();
    this.complain("");
    this.changed();
  }

  say(text) {
    get("upload-state").textContent = visible(text);
  }

  complain(message) {
    this.errors.put(document.querySelector("[data-field='script.upload']"), message);
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
