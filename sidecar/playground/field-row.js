/** One field of the form: its name, its kind, its value, and whether it is embedded. */
import { kindOfType } from "./columns.js";
import { el, newId, replace } from "./dom.js";
import { icon } from "./icons.js";

const KINDS = [
  ["text", "Text"],
  ["number", "Number"],
  ["truth", "Yes or no"],
  ["json", "JSON"],
];
const MOST_ROWS = 10;

/** The rows that the form starts with: the fields that the index knows, the embedded ones first. */
export function rowsFor({ fields }) {
  const isEmbedded = ({ embedded }) => embedded === "text" || embedded === "image";
  const others = fields.filter(({ type, embedded }) => embedded === null && kindOfType(type));
  const rows = [
    ...fields.filter(isEmbedded).map(({ name }) => ({ name, kind: "text", isEmbedded: true })),
    ...others.map(({ name, type }) => ({ name, kind: kindOfType(type) })),
  ];
  return rows.length > 0 ? rows.slice(0, MOST_ROWS) : [{ name: "title", kind: "text", isEmbedded: true }];
}

export class FieldRow {
  constructor({ name = "", kind = "text", isEmbedded = false, names, onRemove, onChange }) {
    this.problem = null;
    this.place = el("div", { class: "value" });
    this.nameInput = el("input", { type: "text", value: name, list: names, autocomplete: "off", "aria-label": "Name of the field" });
    this.kindSelect = el(
      "select",
      { "aria-label": "Kind of value" },
      KINDS.map(([value, label]) => el("option", { value, selected: value === kind }, label)),
    );
    this.embed = el("input", { type: "checkbox", checked: isEmbedded, id: newId("embed") });
    this.told = el("p", { class: "problem", id: newId("problem"), hidden: true });
    this.kindSelect.addEventListener("change", () => this.changeKind());
    const remove = el("button", { type: "button", class: "icon-button", "aria-label": "Remove the field", title: "Remove the field" }, icon("close"));
    remove.addEventListener("click", onRemove);
    this.onChange = onChange;
    this.element = el(
      "fieldset",
      { class: "field-row" },
      el("legend", { class: "unseen" }, "Field"),
      this.nameInput,
      this.kindSelect,
      el("label", { class: "check", for: this.embed.id }, this.embed, "Embed"),
      remove,
      this.place,
      this.told,
    );
    this.changeKind();
  }

  get name() {
    return this.nameInput.value.trim();
  }

  get kind() {
    return this.kindSelect.value;
  }

  get isFilled() {
    return this.input.value.trim() !== "";
  }

  get isEmbedded() {
    return this.embed.checked && !this.embed.disabled;
  }

  /** The value as JSON has it; the text itself where it is none of its kind: `problem` then says so. */
  value() {
    const text = this.input.value;
    if (this.kind === "text") return text;
    if (this.kind === "truth") return text === "true";
    try {
      return JSON.parse(text);
    } catch {
      return text; // told by check()
    }
  }

  /** See what is wrong with the row, among all rows, and show it. */
  check(rows) {
    this.problem = this.isFilled ? this.problemOf(rows) : null;
    this.told.hidden = this.problem === null;
    this.told.textContent = this.problem ?? "";
    this.input.setAttribute("aria-invalid", String(this.problem !== null));
  }

  problemOf(rows) {
    if (this.name === "") return "Give the field a name.";
    if (this.name === "_id") return "The id has a place of its own above.";
    if (rows.some((row) => row !== this && row.isFilled && row.name === this.name)) return `There are two fields ${this.name}.`;
    const value = this.value();
    if (this.kind === "number" && typeof value !== "number") return "This is no number.";
    if (this.kind === "json" && value === this.input.value) return "This is not JSON.";
    return null;
  }

  focus() {
    this.nameInput.focus();
  }

  focusValue() {
    this.input.focus();
  }

  clear() {
    this.input.value = "";
  }

  changeKind() {
    const value = this.input?.value ?? "";
    this.input = inputOf(this.kind);
    if (this.input.tagName !== "SELECT") this.input.value = value;
    this.input.setAttribute("aria-label", "Value");
    this.input.setAttribute("aria-describedby", this.told.id);
    this.embed.disabled = this.kind === "number" || this.kind === "truth";
    replace(this.place, this.input);
    this.onChange();
  }
}

function inputOf(kind) {
  if (kind === "number") return el("input", { type: "text", inputmode: "decimal" });
  if (kind === "truth") {
    return el("select", {}, [["", "left out"], ["true", "yes"], ["false", "no"]].map(([value, label]) => el("option", { value }, label)));
  }
  return el("textarea", { rows: kind === "json" ? 3 : 2, class: kind === "json" ? "mono" : null });
}
