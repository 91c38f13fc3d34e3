// Ranges of a run's log, by byte.
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

  // The bytes from `offset`, at most `limit`, and the offset that comes after them.
  async read(offset, limit, signal) {
    const response = await call(this.address({ offset, limit }), { headers: { Accept: "*/*" }, signal });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const number = (name, otherwise) => Number(response.headers.get(name) ?? otherwise);
    this.size = number("Traindeck-Log-Size", offset + bytes.length);
    return { bytes, next: number("Traindeck-Next-Offset", offset + bytes.length) };
  }
}
