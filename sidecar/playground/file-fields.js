/** The fields of a file: which are embedded, what their texts are, which are left out, and which one is the id. */
import { kindOfType } from "./columns.js";
import { el, newId } from "./dom.js";
import { plain } from "./format.js";

const KINDS = [
  ["text", "text"],
  ["number", "number"],
  ["truth", "yes or no"],
];
const LONGEST_EXAMPLE = 90;
const LIKELY = /^(title|text|body|content|description|summary|abstract|name|question|answer|caption)$/i;

export class FileFields {
  /**
   * `fields` are those of `lookInto`. What the index embeds already is embedded; of a new index what looks like prose.
   * `isText`: the values are texts yet; what they are to be is what the index has, or else what they look like.
   */
  constructor(fields, details, { isText }) {
    this.isText = isText;
    const embedded = details.embeddedFields.map(({ field }) => field);
    const known = new Map(details.fields.map(({ name, type }) => [name, kindOfType(type)]));
    this.rows = fields.map((field) => this.row({ ...field, kind: known.get(field.name) ?? field.kind }, embedded));
    this.id = el(
      "select",
      { id: newId("id-field") },
      el("option", { value: "" }, fields.some(({ name }) => name === "_id") ? "_id" : "made here, at random"),
      fields.filter(({ name }) => name !== "_id").map(({ name }) => el("option", { value: name }, name)),
    );
    this.element = this.build();
  }

  /** `embedded` names, `kinds` (name -> kind), `idField` ("" for _id), and the set of names that are `left` out. */
  read() {
    const kept = this.rows.filter(({ keep }) => keep.checked);
    return {
      embedded: kept.filter(({ embed }) => embed?.checked).map(({ name }) => name),
      kinds: new Map(this.rows.map(({ name, kind }) => [name, kind ? kind.value : "text"])),
      idField: this.id.value,
      left: new Set(this.rows.filter(({ keep }) => !keep.checked).map(({ name }) => name)),
    };
  }

  row({ name, example, kind }, embedded) {
    const isId = name === "_id";
    const isProse = typeof example === "string" && kind === "text" && !isId;
    const chosen = embedded.length > 0 ? embedded.includes(name) : isProse && (LIKELY.test(name) || example.includes(" "));
    const keep = el("input", { type: "checkbox", checked: true, disabled: isId, "aria-label": `Keep ${name}` });
    const embed = isId ? null : el("input", { type: "checkbox", checked: chosen, "aria-label": `Embed ${name}` });
    const select = this.isText && !isId ? kindSelect(name, kind) : null;
    keep.addEventListener("change", () => {
      embed.disabled = !keep.checked;
      if (!keep.checked) embed.checked = false;
    });
    return { name, example, keep, embed, kind: select };
  }

  build() {
    const heads = ["Embed", "Field", "Example", this.isText ? "Kind" : null, "Keep"].filter(Boolean);
    const line = ({ name, example, keep, embed, kind }) =>
      el(
        "tr",
        {},
        el("td", {}, embed),
        el("th", { scope: "row" }, name),
        el("td", { class: "text" }, plain(example).slice(0, LONGEST_EXAMPLE)),
        this.isText ? el("td", {}, kind) : null,
        el("td", {}, keep),
      );
    return el(
      "div",
      { class: "stack" },
      el(
        "div",
        { class: "wide", tabindex: 0, role: "region", "aria-label": "Fields of the file" },
        el(
          "table",
          {},
          el("caption", { class: "unseen" }, "Fields of the file"),
          el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
          el("tbody", {}, this.rows.map(line)),
        ),
      ),
      el("div", { class: "row" }, el("label", { for: this.id.id }, "The id of a document is"), this.id),
    );
  }
}

function kindSelect(name, kind) {
  const options = KINDS.map(([value, label]) => el("option", { value, selected: value === kind }, label));
  return el("select", { class: "small", "aria-label": `Kind of ${name}` }, options);
}
