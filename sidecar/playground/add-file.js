/** Adds the documents of a file: chosen or dropped, looked at, then sent with progress. */
import { lookInto, valueOf } from "./columns.js";
import { el, newId, replace } from "./dom.js";
import { FileFields } from "./file-fields.js";
import { size } from "./format.js";
import { icon } from "./icons.js";
import { busy, failure } from "./notes.js";
import { kindOf, rowsOf } from "./rows.js";
import { UploadPanel } from "./upload-panel.js";

const FORMATS = { jsonl: "one JSON document a line", json: "JSON", csv: "delimited text with a header" };

/** The section of the page. `details` are those of index-details.js. */
export function fileSection(details, context) {
  return new FileAdder(details, context).element;
}

class FileAdder {
  constructor(details, context) {
    this.details = details;
    this.context = context;
    this.content = el("div", { class: "stack" });
    this.element = el("section", { class: "card stack" }, el("h2", {}, "From a file"), this.dropZone(), this.content);
    // A file that misses the place would take the page away.
    for (const name of ["dragover", "drop"]) {
      addEventListener(name, (event) => event.preventDefault(), { signal: context.signal });
    }
  }

  dropZone() {
    const id = newId("file");
    const input = el("input", { id, type: "file", class: "unseen", accept: ".jsonl,.ndjson,.json,.csv,.tsv,.txt" });
    input.addEventListener("change", () => {
      if (input.files.length > 0) void this.look(input.files[0]);
      // The same file can be chosen again after it was mended.
      input.value = "";
    });
    const zone = el(
      "div",
      { class: "drop" },
      input,
      el("label", { for: id, class: "button primary" }, "Choose a file"),
      el("p", { class: "hint" }, "or drop one here: JSON, one document a line (JSONL) or an array, or CSV with a header."),
    );
    const show = (isOver) => zone.classList.toggle("over", isOver);
    zone.addEventListener("dragover", () => show(true));
    zone.addEventListener("dragleave", () => show(false));
    zone.addEventListener("drop", (event) => {
      show(false);
      if (event.dataTransfer.files.length > 0) void this.look(event.dataTransfer.files[0]);
    });
    return zone;
  }

  async look(file) {
    if (this.panel?.isRunning) return;
    replace(this.content, busy(`Looking into ${file.name}…`));
    try {
      const kind = await kindOf(file);
      const { rows, fields } = await lookInto(file, kind);
      if (rows.length === 0) throw new Error(`There is no document in ${file.name}.`);
      const bad = rows.find((row) => row.problem);
      if (fields.length === 0) throw new Error(`Line ${bad.line} of ${file.name} is ${bad.problem}.`);
      this.offer(file, kind, fields);
    } catch (error) {
      replace(this.content, failure(error));
    }
  }

  offer(file, kind, fields) {
    const choice = new FileFields(fields, this.details, { isText: kind.format === "csv" });
    const start = el("button", { type: "button", class: "primary" }, "Add the documents");
    start.addEventListener("click", () => void this.send(file, kind, choice));
    replace(
      this.content,
      el("p", {}, icon("check"), " ", el("b", {}, file.name), el("span", { class: "hint" }, ` ${size(file.size)}, ${FORMATS[kind.format]}`)),
      choice.element,
      el("div", { class: "row" }, start),
    );
    start.focus();
  }

  async send(file, kind, choice) {
    const { embedded, kinds, idField, left } = choice.read();
    this.panel = new UploadPanel(file, this.context);
    replace(this.content, this.panel.element);
    const rows = rowsOf(file, kind);
    const isText = kind.format === "csv";
    await this.panel.run(shaped(rows, { kinds: isText ? kinds : null, idField, left }), embedded);
  }
}

/** The rows as they are to be stored: without the fields left out, texts as values, and ids from another field. */
async function* shaped(rows, { kinds, idField, left }) {
  for await (const row of rows) {
    if (row.problem || (kinds === null && idField === "" && left.size === 0)) {
      yield row;
      continue;
    }
    const entries = Object.entries(row.document)
      .filter(([name]) => !left.has(name))
      .map(([name, value]) => [name, kinds ? valueOf(value, kinds.get(name)) : value]);
    const id = idField === "" ? {} : { _id: plainId(row.document[idField]) };
    yield { line: row.line, share: row.share, document: { ...Object.fromEntries(entries), ...id } };
  }
}

/** Ids are texts; where there is none, the empty one, which the index refuses by its own words. */
function plainId(value) {
  return value === undefined || value === null ? "" : String(value);
}
