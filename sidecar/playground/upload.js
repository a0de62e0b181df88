/**
 * Adds rows to an index, some at a time, so that there is something to tell: a browser sends a body only as a whole.
 * Documents without an id get one here, so that a request that is sent again adds nothing twice.
 */
import { indexPath, isAbort } from "./api.js";

const FIRST_BATCH = 16;
const LARGEST_BATCH = 2000;
const LARGEST_BYTES = 2_000_000;
const QUICK_SECONDS = 0.8;
const SLOW_SECONDS = 2.5;

export class Upload {
  /**
   * `fields` are embedded. `onProgress(counts, share)` is told after each batch; counts have `received`, `succeeded` and
   * `failed`, and `share` is that of the file which is dealt with. `onFailed({ line, id, error, document })` is told of each
   * document that failed. `onBroken(error)` resolves to whether what has not been written is to be sent again.
   */
  constructor({ api, index, fields, signal, onProgress, onFailed, onBroken }) {
    Object.assign(this, { api, signal, onProgress, onFailed, onBroken });
    this.path = `${indexPath(index, "documents")}?${parametersOf(fields)}`;
    this.counts = { received: 0, succeeded: 0, failed: 0 };
    this.share = 0;
    this.batchSize = FIRST_BATCH;
  }

  /** Add all rows, as rows.js has them. Returns whether all were dealt with; throws AbortError. */
  async run(rows) {
    let batch = [];
    let bytes = 0;
    for await (const row of rows) {
      this.signal.throwIfAborted();
      if (row.problem !== undefined) {
        this.fail({ line: row.line, id: "", error: row.problem });
        continue;
      }
      const entry = { line: row.line, share: row.share, text: withId(row) };
      batch.push(entry);
      bytes += entry.text.length;
      if (batch.length < this.batchSize && bytes < LARGEST_BYTES) continue;
      if (!(await this.send(batch))) return false;
      [batch, bytes] = [[], 0];
    }
    return batch.length === 0 || this.send(batch);
  }

  /** Send a batch until all of it is dealt with; false where it broke off, and is not to be sent again. */
  async send(batch) {
    let rest = batch;
    for (;;) {
      const { done, error } = await this.exchange(rest);
      this.onProgress(this.counts, this.share);
      if (!error) return true;
      rest = rest.slice(done);
      if (!(await this.onBroken(error))) return false;
    }
  }

  /** One request; returns how many rows were dealt with, and what broke it off, if anything did. */
  async exchange(batch) {
    const started = performance.now();
    let end = null;
    const failed = [];
    try {
      const read = (line) => {
        if (line.item) failed.push(line.item);
        else if (line.done || line.error) end = line;
      };
      await this.api.lines(this.path, batch.map((entry) => entry.text).join("\n"), read, { signal: this.signal });
    } catch (error) {
      if (isAbort(error)) throw error;
      // Nothing is known of the batch, so that all of it would be sent again.
      return { done: 0, error };
    }
    if (end === null) return { done: 0, error: new Error("The answer broke off. Has the sidecar been stopped?") };
    this.settle(batch, end, failed);
    this.adapt((performance.now() - started) / 1000);
    return { done: end.received, error: end.error ?? null };
  }

  settle(batch, end, failed) {
    for (const item of failed) {
      const { line, text } = batch[item.line - 1];
      this.fail({ line, id: item._id || JSON.parse(text)._id, error: item.error, document: text });
    }
    this.share = batch[end.received - 1]?.share ?? this.share;
    this.counts.succeeded += end.succeeded;
    this.counts.received += end.succeeded;
  }

  fail(failure) {
    this.counts.received += 1;
    this.counts.failed += 1;
    this.onFailed(failure);
  }

  adapt(seconds) {
    if (seconds < QUICK_SECONDS) this.batchSize = Math.min(this.batchSize * 2, LARGEST_BATCH);
    if (seconds > SLOW_SECONDS) this.batchSize = Math.max(Math.floor(this.batchSize / 2), 1);
  }
}

function parametersOf(fields) {
  if (fields.length === 0) return "tensorFields=";
  // One text would be taken apart at its commas; several are not.
  const names = fields.length === 1 && fields[0].includes(",") ? [...fields, ...fields] : fields;
  return names.map((name) => `tensorFields=${encodeURIComponent(name)}`).join("&");
}

/** The row's document as one line of JSON. */
function withId({ document, text = JSON.stringify(document) }) {
  if (Object.hasOwn(document, "_id")) return text;
  const rest = text.slice(text.indexOf("{") + 1);
  return `{"_id":"${newDocumentId()}"${Object.keys(document).length > 0 ? "," : ""}${rest}`;
}

/** A random UUID; crypto.randomUUID is there on https and localhost only. */
function newDocumentId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
