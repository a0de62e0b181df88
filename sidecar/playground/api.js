/**
 * Requests to the sidecar that serves this page.
 *
 *   const stats = await api.get(`/indexes/${encodeURIComponent(index)}/stats`, { signal });
 *   const found = await api.post(indexPath(index, "search"), { q: "cats" }, { signal });
 *
 * Every failure is an ApiError, whose message can be shown as it is. A request without a valid key asks for one (keys.js)
 * and is sent again. An aborted request throws the AbortError of fetch: see `isAbort`.
 */
import { askKey, currentKey, dropKey } from "./keys.js";

/** Where the API is: the page may lie behind a proxy, under a path of its own. */
export const ROOT = new URL("..", import.meta.url).href.replace(/\/$/, "");

/** What went wrong, in words. `status` is 0 where no answer came; `code` is the API's word, or null. */
export class ApiError extends Error {
  constructor(message, { status = 0, code = null, body = null } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

/** The path of something of an index. */
export function indexPath(index, ...parts) {
  return ["/indexes", encodeURIComponent(index), ...parts.map(encodeURIComponent)].join("/");
}

/** Whether the error only says that the request was given up. */
export function isAbort(error) {
  return error?.name === "AbortError";
}

export const api = {
  get: (path, options) => send("GET", path, undefined, options),
  blob: (path, options) => send("GET", path, undefined, { ...options, isBlob: true }),
  post: (path, body, options) => send("POST", path, body, options),
  patch: (path, body, options) => send("PATCH", path, body, options),
  delete: (path, body, options) => send("DELETE", path, body, options),
  lines: (path, body, onLine, options) => sendLines(path, body, onLine, options),
};

/** Send lines of JSON, and call `onLine` with the value of each line of the answer as it comes. */
async function sendLines(path, lines, onLine, options = {}) {
  const answer = await permitted("POST", path, lines, { ...options, type: "application/x-ndjson" });
  if (!answer.ok) return void (await read(answer));
  let rest = "";
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + piece).split("\n");
    rest = parts.pop();
    for (const line of parts) onLine(JSON.parse(line));
  }
}

/**
 * One request; returns the answer's JSON, or the answer itself as a Blob. `body` is an object (sent as JSON), or a string
 * or Blob with `type`. Options: `signal` (AbortSignal), `type` (media type of a body that is no object), `isBlob`.
 */
async function send(method, path, body, options = {}) {
  const answer = await permitted(method, path, body, options);
  return answer.ok && options.isBlob ? answer.blob() : read(answer);
}

/** The answer to the request; where that says that a key is missing, the reader is asked for one. */
async function permitted(method, path, body, options) {
  const answer = await exchange(method, path, body, options);
  if (answer.status !== 401) return answer;
  dropKey();
  const isGiven = await askKey("This sidecar answers only requests that carry an API key. Its operator has one.");
  return isGiven ? permitted(method, path, body, options) : answer;
}

async function exchange(method, path, body, { signal, type }) {
  const headers = {};
  const key = currentKey();
  if (key) headers["x-api-key"] = bytesOf(key);
  if (body !== undefined) headers["Content-Type"] = type ?? "application/json";
  const content = body === undefined || type ? body : JSON.stringify(body);
  try {
    return await fetch(ROOT + path, { method, headers, body: content, signal, credentials: "same-origin" });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("The sidecar does not answer. Is it running, and is this machine connected to it?");
  }
}

/** The text's UTF-8 as a string of bytes: the only kind of text that a header can have. */
function bytesOf(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

async function read(answer) {
  const text = await answer.text();
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: told below by its status.
    if (answer.ok) throw new ApiError("The answer is not JSON. Does a proxy stand in the way?", { status: answer.status });
  }
  if (answer.ok) return body;
  throw new ApiError(wordsOf(body, answer), { status: answer.status, code: body?.code ?? null, body });
}

function wordsOf(body, answer) {
  if (typeof body?.message === "string") return body.message;
  if (Array.isArray(body?.detail)) {
    return body.detail.map((problem) => `${problem.loc.slice(1).join(".")}: ${problem.msg}`).join("; ");
  }
  return `The sidecar answered ${answer.status} ${answer.statusText || body?.detail || ""}`.trim() + ".";
}
