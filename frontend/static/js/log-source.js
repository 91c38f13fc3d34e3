// Read ranges of bytes of a run's log, and search it.
import { call } from "./api.js";

export class LogSource {
  constructor(url) {
    this.url = `${url}/log`;
    this.attempt = "";
    this.size = 0;
  }

  address(query = {}) {
    const all = new URLSearchParams({ ...query, ...(this.attempt && { attempt: this.attempt }) });
    return all.size ? `${this.url}?${all}` : this.url;
  }

  // Return the bytes from `offset`, at most `limit`, and the offset after them.
  async read(offset, limit, signal) {
    const response = await call(this.address({ offset, limit }), { headers: { Accept: "*/*" }, signal });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const number = (name, otherwise) => Number(response.headers.get(name) ?? otherwise);
    this.size = number("Traindeck-Log-Size", offset + bytes.length);
    return { bytes, next: number("Traindeck-Next-Offset", offset + bytes.length) };
  }

  // Yield the records of a search as they arrive: matches, progress, and at last the offset to continue from, or null.
  async *search(query, signal) {
    const address = this.address(query).replace("/log?", "/log/search?");
    const response = await call(address, { headers: { Accept: "*/*" }, signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const lines = (rest + part.value).split("\n");
        rest = lines.pop();
        for (const line of lines) yield JSON.parse(line);
      }
    } finally {
      // A caller that has enough matches stops reading, and the server stops too.
      reader.cancel().catch(() => {});
    }
  }
}
