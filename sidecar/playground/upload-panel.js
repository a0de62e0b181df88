/** Shows how far an upload is, and which documents failed and why. */
import { addressOf } from "./address.js";
import { indexPath, isAbort } from "./api.js";
import { el, newId, replace } from "./dom.js";
import { count, counted, duration } from "./format.js";
import { icon } from "./icons.js";
import { failure } from "./notes.js";
import { Upload } from "./upload.js";

const SHOWN_FAILURES = 100;
const KEPT_FAILURES = 10_000;
const SPOKEN_EVERY_SECONDS = 5;

export class UploadPanel {
  constructor(file, context) {
    this.file = file;
    this.context = context;
    this.failures = [];
    this.failed = 0;
    this.isRunning = false;
    this.stopping = new AbortController();
    this.bar = el("progress", { id: newId("bar"), max: 1, value: 0 });
    this.label = el("label", { for: this.bar.id }, `Adding ${file.name}`);
    this.line = el("p", { class: "hint" });
    this.said = el("p", { class: "unseen", role: "status" });
    this.told = el("div", {});
    this.list = el("div", { class: "stack" });
    this.stop = el("button", { type: "button", class: "small", onclick: () => this.stopping.abort() }, "Stop");
    const progress = el("div", { class: "row progress" }, this.bar, this.stop);
    this.element = el("div", { class: "stack" }, this.label, progress, this.line, this.said, this.told, this.list);
  }

  /** Send the rows, with these fields embedded, to the end, or until something stops that. */
  async run(rows, fields) {
    const { api, index, signal } = this.context;
    this.isRunning = true;
    this.started = this.spoken = performance.now();
    const leaving = (event) => event.preventDefault();
    addEventListener("beforeunload", leaving);
    const upload = new Upload({
      api,
      index,
      fields,
      signal: AbortSignal.any([signal, this.stopping.signal]),
      onProgress: (counts, share) => this.show(counts, share),
      onFailed: (failed) => this.note(failed),
      onBroken: (error) => this.ask(error),
    });
    this.counts = upload.counts;
    try {
      const isWhole = await upload.run(rows);
      await this.finish(isWhole ? "" : "Stopped. ");
    } catch (error) {
      if (isAbort(error)) await this.finish("Stopped. ");
      else await this.finish("", error);
    } finally {
      this.isRunning = false;
      removeEventListener("beforeunload", leaving);
    }
  }

  show(counts, share) {
    const seconds = (performance.now() - this.started) / 1000;
    this.bar.value = share;
    const left = share > 0 ? (seconds * (1 - share)) / share : 0;
    const text = [
      counted(counts.received, "document"),
      counts.failed > 0 ? `${count(counts.failed)} failed` : null,
      `${count(Math.round(counts.received / Math.max(seconds, 0.001)))} a second`,
      left >= 1 ? `about ${duration(left)} left` : null,
    ].filter(Boolean);
    this.line.textContent = text.join(" · ");
    if (performance.now() - this.spoken < SPOKEN_EVERY_SECONDS * 1000) return;
    this.spoken = performance.now();
    this.said.textContent = `${Math.round(100 * share)} per cent, ${text.slice(0, 2).join(", ")}`;
  }

  /** Keep what is to be told of a document that failed. */
  note(failed) {
    this.failed += 1;
    if (this.failures.length < KEPT_FAILURES) this.failures.push(failed);
    if (this.failed === 1) this.showFailures();
    if (this.failed <= SHOWN_FAILURES) this.failureRows.append(failureRow(failed));
    this.failureHead.textContent =
      this.failed <= SHOWN_FAILURES
        ? `${counted(this.failed, "document")} failed`
        : `${count(this.failed)} documents failed; the first ${SHOWN_FAILURES} are here`;
  }

  showFailures() {
    this.failureHead = el("h3", {});
    this.failureRows = el("tbody", {});
    const heads = ["Line", "Document", "Why"].map((head) => el("th", { scope: "col" }, head));
    const save = el("button", { type: "button", class: "small", onclick: () => this.saveFailures() }, "Save them as a file");
    replace(
      this.list,
      el("div", { class: "row" }, this.failureHead, save),
      el(
        "div",
        { class: "wide", tabindex: 0, role: "region", "aria-label": "Documents that failed" },
        el(
          "table",
          {},
          el("caption", { class: "unseen" }, "Documents that failed"),
          el("thead", {}, el("tr", {}, heads)),
          this.failureRows,
        ),
      ),
    );
  }

  /** One JSON object a line: line, _id, error, and the document where it was one. */
  saveFailures() {
    const lines = this.failures.map(({ line, id, error, document }) =>
      `{"line":${line},"_id":${JSON.stringify(id)},"error":${JSON.stringify(error)}${document ? `,"document":${document}` : ""}}\n`,
    );
    const address = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
    el("a", { href: address, download: `${this.file.name}.failed.jsonl` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  /** Tell what broke off, and let the reader try again or stop. */
  ask(error) {
    return new Promise((resolve) => {
      this.stop.hidden = true;
      const answer = (isAgain) => {
        this.stop.hidden = false;
        replace(this.told);
        resolve(isAgain);
      };
      const again = el("button", { type: "button", class: "small primary", onclick: () => answer(true) }, "Send the rest");
      const enough = el("button", { type: "button", class: "small", onclick: () => answer(false) }, "Stop here");
      replace(this.told, failure(error), el("div", { class: "row" }, again, enough));
      again.focus();
      this.context.signal.addEventListener("abort", () => answer(false), { once: true });
    });
  }

  async finish(start, error = null) {
    const { api, index, signal } = this.context;
    if (signal.aborted) return;
    const { received, succeeded, failed } = this.counts;
    this.stop.hidden = true;
    if (start === "" && error === null) this.bar.value = 1;
    const seconds = (performance.now() - this.started) / 1000;
    this.label.textContent = this.file.name;
    this.line.textContent = `${start}${counted(succeeded, "document")} of ${count(received)} written in ${duration(seconds)}.`;
    try {
      await api.post(indexPath(index, "refresh"), undefined, { signal });
    } catch (problem) {
      error ??= problem;
    }
    replace(this.told, error ? failure(error) : null, this.summary(start, failed, error));
  }

  summary(start, failed, error) {
    const { index } = this.context;
    const text = failed === 0 ? "All of them are in the index. " : `${counted(failed, "document")} failed. `;
    const link = (page, name) => [el("a", { href: addressOf(index, page) }, name), " "];
    return el(
      "div",
      { class: `note ${failed === 0 && !error ? "good" : ""}`, role: "status" },
      icon(failed === 0 && !error ? "check" : "warning"),
      el("p", {}, start === "" && !error ? text : "What was written stays. ", link("search", "Search"), link("about", "About"), link("map", "Map")),
    );
  }
}

function failureRow({ line, id, error }) {
  return el("tr", {}, el("td", { class: "number" }, line), el("td", {}, id), el("td", { class: "text" }, error));
}
