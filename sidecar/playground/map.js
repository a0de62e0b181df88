/** The map page: a sample of an embedded field's chunks, near one another where their vectors are. */
import { addressOf } from "./address.js";
import { indexPath, isAbort } from "./api.js";
import { el, newId, replace } from "./dom.js";
import { count, counted, plain } from "./format.js";
import { readDetails } from "./index-details.js";
import { colouring } from "./map-colours.js";
import { DocumentPanel } from "./map-document.js";
import { Plot } from "./map-plot.js";
import { pointTable } from "./map-table.js";
import { busy, failure, remark } from "./notes.js";

const SIZES = [250, 1000, 2500, 5000];
const USUAL_SIZE = 1000;
const LONGEST_TIP = 160;

/** Draw the page. */
export async function render(container, context) {
  const { index, title } = context;
  title(`Map of ${index}`);
  replace(container, el("h1", {}, "Map of ", index), busy("Asking for the index…"));
  const details = await readDetails(context);
  const heading = el("h1", {}, "Map of ", index);
  if (details.embeddedFields.length === 0) {
    const add = el("a", { href: addressOf(index, "add") }, "Add documents");
    return void replace(container, heading, remark("This index has no embeddings yet. ", add, " to see where they lie."));
  }
  const page = new MapPage(details, context);
  replace(container, heading, page.controls, page.status, page.content);
  await page.draw();
}

class MapPage {
  constructor(details, context) {
    this.details = details;
    this.context = context;
    this.wanted = readWanted(context.params, details);
    this.controls = this.buildControls();
    this.status = el("p", { class: "hint", role: "status" });
    this.content = el("div", { class: "stack" });
    this.drawing = new AbortController();
  }

  buildControls() {
    const { details, wanted } = this;
    const fields = details.embeddedFields.map(({ field }) => [field, field]);
    const sizes = SIZES.map((size) => [String(size), counted(size, "chunk")]);
    return el(
      "div",
      { class: "controls" },
      choice("Field", fields, wanted.field, (value) => this.change({ field: value })),
      choice("Coloured by", [["", "nothing"], ...attributesOf(details)], wanted.attribute, (value) => this.change({ attribute: value })),
      choice("Sample", sizes, String(wanted.size), (value) => this.change({ size: Number(value) })),
      el("button", { type: "button", onclick: () => this.change({ seed: this.wanted.seed + 1 }) }, "Another sample"),
    );
  }

  change(change) {
    Object.assign(this.wanted, change);
    const { field, attribute, size, seed } = this.wanted;
    this.context.keep({ field, ...(attribute && { color: attribute }), ...(size !== USUAL_SIZE && { size }), ...(seed && { seed }) });
    void this.draw();
  }

  async draw() {
    const { api, index, signal } = this.context;
    const { field, attribute, size, seed } = this.wanted;
    this.drawing.abort();
    this.drawing = new AbortController();
    const own = AbortSignal.any([signal, this.drawing.signal]);
    replace(this.status, busy("Drawing the map…"));
    const parameters = new URLSearchParams({ field, size, seed, ...(attribute && { attribute }) });
    try {
      const drawn = await api.get(`${indexPath(index, "map")}?${parameters}`, { signal: own });
      replace(this.status, summary(drawn));
      replace(this.content, drawn.points.length === 0 ? remark("No document has this field any more.") : this.show(drawn, own));
    } catch (error) {
      if (isAbort(error)) return;
      replace(this.status);
      replace(this.content, failure(error));
    }
  }

  show(drawn, signal) {
    const { attribute } = this.wanted;
    const { points } = drawn;
    const { classOf, legend } = colouring(points, attribute);
    const box = el("div", { class: "card stack point", "aria-live": "polite" });
    const panel = new DocumentPanel(box, { ...this.context, details: this.details, field: drawn.field, signal });
    const onChosen = (number) => (number < 0 ? panel.clear() : void panel.show(points[number]));
    const plot = new Plot(points, { classOf, describe: (point) => describe(point, attribute), onChosen, signal });
    const chooseRow = (number) => {
      plot.choose(number);
      box.scrollIntoView({ block: "nearest" });
    };
    const table = el("details", { class: "card" }, el("summary", {}, "The points as a table"));
    table.addEventListener("toggle", () => table.append(pointTable(points, attribute, chooseRow)), { once: true });
    return [el("div", { class: "map" }, plot.element, el("div", { class: "stack" }, legendOf(attribute, legend, plot), box)), table];
  }
}

function readWanted(params, details) {
  const fields = details.embeddedFields.map(({ field }) => field);
  const names = attributesOf(details).map(([name]) => name);
  const [field, attribute, size] = [params.get("field"), params.get("color"), Number(params.get("size"))];
  return {
    field: fields.includes(field) ? field : fields[0],
    attribute: names.includes(attribute) ? attribute : "",
    size: SIZES.includes(size) ? size : USUAL_SIZE,
    seed: Math.max(0, Math.trunc(Number(params.get("seed")) || 0)),
  };
}

/** The fields that can colour the map; those that are embedded have too many values, as a rule, and come last. */
function attributesOf({ fields }) {
  const names = fields.filter(({ type }) => type !== "object").sort((one, other) => Number(Boolean(one.embedded)) - Number(Boolean(other.embedded)));
  return names.map(({ name }) => [name, name]);
}

function choice(label, options, chosen, onChange) {
  const id = newId("choice");
  const entries = options.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
  const select = el("select", { id, onchange: () => onChange(select.value) }, entries);
  return el("div", {}, el("label", { for: id }, label), select);
}

function summary({ points, sampledDocuments, numberOfDocuments, unreadableDocuments, explainedVariance, model }) {
  const [across, up] = explainedVariance.map((share) => `${Math.round(share * 100)} %`);
  const all = sampledDocuments === numberOfDocuments ? "" : ` of ${count(numberOfDocuments)}`;
  const left = unreadableDocuments > 0 ? ` ${counted(unreadableDocuments, "document")} left out: the cluster can't give their vectors back.` : "";
  return (
    `${counted(points.length, "chunk")} of ${counted(sampledDocuments, "document")}${all}, by ${model}. ` +
    `Across: ${across} of what tells the vectors apart; up: ${up}.${left}`
  );
}

function describe(point, attribute) {
  const text = (point.text ?? "").slice(0, LONGEST_TIP);
  const value = attribute && point.attribute !== undefined ? ` (${attribute}: ${plain(point.attribute)})` : "";
  return `${point._id}: ${text}${value}`;
}

function legendOf(attribute, legend, plot) {
  if (legend.length === 0) return null;
  const entry = ({ name, label, points }) => {
    const button = el(
      "button",
      { type: "button", class: "quiet small", "aria-pressed": "false" },
      el("span", { class: `swatch ${name}`, "aria-hidden": "true" }),
      el("span", { class: "label" }, label),
      el("span", { class: "hint" }, count(points)),
    );
    button.addEventListener("click", () => {
      const isPressed = button.getAttribute("aria-pressed") === "true";
      for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(!isPressed));
      plot.highlight(isPressed ? null : name);
    });
    return el("li", {}, button);
  };
  const list = el("ul", { class: "legend", "aria-label": `Colours: ${attribute}` }, legend.map(entry));
  return list;
}
