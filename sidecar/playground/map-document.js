/** The document of the point that was chosen on the map, with the chunk marked in its field. */
import { addressOf } from "./address.js";
import { indexPath, isAbort } from "./api.js";
import { el, replace } from "./dom.js";
import { plain } from "./format.js";
import { busy, failure } from "./notes.js";
import { isPicture, pictureElement, pictureOf } from "./pictures.js";

const AROUND = 400;
const LONGEST_VALUE = 300;

/** Shows documents in `panel`, one at a time; a document that is asked for later takes the place of one before. */
export class DocumentPanel {
  constructor(panel, { api, index, details, field, signal }) {
    this.panel = panel;
    this.api = api;
    this.index = index;
    this.field = field;
    this.fields = details.fields;
    this.signal = signal;
    this.point = null;
    this.clear();
  }

  /** Show none. */
  clear() {
    this.point = null;
    replace(this.panel, el("p", { class: "hint" }, "Choose a point to see its document."));
  }

  /** Show the document of this point. */
  async show(point) {
    this.point = point;
    replace(this.panel, el("h2", {}, point._id), busy("Asking for the document…"));
    const routing = point._routing === undefined ? "" : `?routing=${encodeURIComponent(point._routing)}`;
    try {
      const document = await this.api.get(indexPath(this.index, "documents", point._id) + routing, { signal: this.signal });
      if (this.point === point) replace(this.panel, this.describe(point, document));
    } catch (error) {
      if (this.point === point && !isAbort(error)) replace(this.panel, el("h2", {}, point._id), failure(error));
    }
  }

  describe(point, document) {
    const others = Object.entries(document).filter(([name]) => name !== "_id" && name !== this.field);
    const query = point.text ?? "";
    const picture = pictureOf(document, this.fields);
    return [
      el("h2", {}, point._id),
      picture ? pictureElement(picture, { index: this.index, documentId: point._id, alt: "", signal: this.signal }) : null,
      el("dl", { class: "fields" }, [
        field(this.field, chunkInside(document[this.field], point)),
        ...others.map(([name, value]) => field(name, cut(plain(value)))),
      ]),
      query ? el("a", { href: addressOf(this.index, "search", { q: query }) }, "Search for this text") : null,
    ];
  }
}

function field(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function chunkInside(value, { start, end, text }) {
  if (typeof value !== "string") return value === undefined ? (text ?? "") : cut(plain(value));
  if (isPicture(value)) return cut(value);
  // Offsets count characters, where JavaScript counts some as two.
  const characters = Array.from(value);
  const from = Math.max(0, start - AROUND);
  const to = Math.min(characters.length, end + AROUND);
  const slice = (first, last) => characters.slice(first, last).join("");
  const [before, after] = [from > 0 ? "… " : "", to < characters.length ? " …" : ""];
  return [before, slice(from, start), el("mark", {}, slice(start, end)), slice(end, to), after];
}

function cut(text) {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
