// Exchange JSON with the server. An error response becomes a Problem.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
  }
}

const UNREACHABLE = { title: "The server does not answer. Check that it is running." };

export async function call(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, UNREACHABLE);
  }
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
  return response;
}

export async function getJson(url, options) {
  return (await call(url, options)).json();
}

export async function sendJson(method, url, body = {}, headers = {}, signal = undefined) {
  const response = await call(url, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal,
  });
  return response.status === 204 ? null : response.json().catch(() => null);
}
