/** The form that adds one document: its fields, which of them are embedded, and the request as JSON. */
import { addressOf } from "./address.js";
import { indexPath, isAbort } from "./api.js";
import { el, newId, replace } from "./dom.js";
import { FieldRow, rowsFor } from "./field-row.js";
import { icon } from "./icons.js";
import { copyButton, failure } from "./notes.js";

/** The section of the page. `details` are those of index-details.js. */
export function formSection(details, context) {
  return new DocumentForm(details, context).element;
}

class DocumentForm {
  constructor(details, context) {
    this.context = context;
    this.names = newId("field-names");
    this.id = el("input", { id: newId("document-id"), type: "text", autocomplete: "off", placeholder: "made by the sidecar" });
    this.list = el("div", { class: "field-rows" });
    this.preview = el("pre", { tabindex: 0, "aria-label": "The request as JSON" });
    this.told = el("div", { "aria-live": "polite" });
    this.button = el("button", { type: "submit", class: "primary" }, "Add the document");
    this.rows = [];
    for (const start of rowsFor(details)) this.addRow(start);
    this.element = this.build(details);
    this.show();
  }

  build({ fields }) {
    const names = el("datalist", { id: this.names }, fields.map(({ name }) => el("option", { value: name })));
    const more = el("button", { type: "button", class: "small", onclick: () => this.addRow({}).focus() }, icon("plus"), "Field");
    const form = el(
      "form",
      { class: "stack" },
      el("div", { class: "document-id" }, el("label", { for: this.id.id }, "_id"), this.id),
      this.list,
      names,
      el("div", { class: "row" }, more),
      el("div", { class: "row" }, this.button),
      this.told,
    );
    form.addEventListener("input", () => this.show());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    const json = el("div", { class: "code" }, copyButton("the request", () => this.preview.textContent), this.preview);
    return el(
      "section",
      { class: "card stack" },
      el("h2", {}, "One document"),
      el("div", { class: "form-and-json" }, form, el("div", { class: "stack" }, el("h3", {}, "The request"), json)),
    );
  }

  addRow(start) {
    const row = new FieldRow({ ...start, names: this.names, onRemove: () => this.removeRow(row), onChange: () => this.show() });
    this.rows.push(row);
    this.list.append(row.element);
    return row;
  }

  removeRow(row) {
    const place = this.rows.indexOf(row);
    this.rows.splice(place, 1);
    row.element.remove();
    // The focus stays near, rather than with nothing.
    (this.rows[place] ?? this.rows[place - 1])?.focus();
    this.show();
  }

  /** The request, or the problems of rows that can't be sent. */
  read() {
    const filled = this.rows.filter((row) => row.isFilled);
    for (const row of this.rows) row.check(this.rows);
    const id = this.id.value.trim();
    const document = Object.fromEntries(filled.map((row) => [row.name, row.value()]));
    const tensorFields = filled.filter((row) => row.isEmbedded).map((row) => row.name);
    return {
      body: { documents: [id ? { _id: id, ...document } : document], tensorFields },
      isGood: filled.length > 0 && this.rows.every((row) => !row.problem),
    };
  }

  show() {
    if (!this.button) return;
    const { body, isGood } = this.read();
    this.preview.textContent = JSON.stringify(body, null, 2);
    this.button.disabled = !isGood;
  }

  async send() {
    const { api, index } = this.context;
    const { body, isGood } = this.read();
    if (!isGood) return;
    this.button.disabled = true;
    replace(this.told, el("p", { class: "hint" }, "Adding…"));
    try {
      const answer = await api.post(`${indexPath(index, "documents")}?refresh=true`, body);
      this.tell(answer.items[0]);
    } catch (error) {
      if (!isAbort(error)) replace(this.told, failure(error));
    }
    this.button.disabled = false;
  }

  tell(item) {
    if (item.error) return void replace(this.told, failure({ message: item.error, code: item.code }));
    const done = { created: "added", updated: "changed", noop: "unchanged" }[item.result] ?? item.result;
    const link = el("a", { href: addressOf(this.context.index, "search") }, "Search the index");
    replace(this.told, el("div", { class: "note good" }, icon("check"), el("p", {}, `Document ${item._id} is ${done}. `, link)));
    this.id.value = "";
    for (const row of this.rows) row.clear();
    this.rows[0]?.focusValue();
    this.show();
  }
}
