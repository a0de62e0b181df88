/** The settings of a new index as a form. What stands at its default is left out of the request. */
import { el, newId, replace } from "./dom.js";

const SPLITS = [
  ["sentence", "sentences"],
  ["word", "words"],
  ["character", "characters"],
  ["passage", "passages"],
];
const DISTANCES = [
  ["cosinesimil", "cosine"],
  ["l2", "Euclidean"],
  ["innerproduct", "inner product"],
];
const DATA_TYPES = [
  ["float", "four bytes a number"],
  ["byte", "one byte a number"],
];

export class CreateForm {
  constructor() {
    this.models = el("datalist", { id: newId("models") });
    this.modelHint = el("p", { class: "hint", id: newId("hint") }, "Empty: all-MiniLM-L6, small and quick.");
    this.nameInput = text({ required: true, pattern: "[^A-Z]*", title: "No capital letters" });
    this.model = text({ list: this.models.id, "aria-describedby": this.modelHint.id, placeholder: "hf/all_datasets_v4_MiniLM-L6" });
    const example = '{"name": "…", "dimensions": 384, "type": "hf"}';
    this.properties = el("textarea", { rows: 4, class: "mono", id: newId("properties"), placeholder: example });
    this.images = el("input", { type: "checkbox", id: newId("images") });
    this.normalize = el("input", { type: "checkbox", id: newId("normalize"), checked: true });
    this.splitLength = number(2, 1);
    this.splitMethod = select(SPLITS);
    this.splitOverlap = number(0, 0);
    this.distance = select(DISTANCES);
    this.dataType = select(DATA_TYPES);
    this.m = number(16, 2);
    this.construction = number(128, 1);
    this.shards = number(3, 1);
    this.replicas = number(0, 0);
    this.problem = el("p", { class: "problem", hidden: true, role: "alert" });
    this.button = el("button", { type: "submit", class: "primary" }, "Make the index");
    this.actions = el("div", { class: "row" }, this.button);
    this.element = this.build();
  }

  get name() {
    return this.nameInput.value.trim();
  }

  focus() {
    this.nameInput.focus();
  }

  setBusy(isBusy) {
    this.button.disabled = isBusy;
  }

  /** Whether the form can be sent; tells what is wrong where it can't. */
  check() {
    let told = null;
    if (this.name === "") told = "Give the index a name.";
    const properties = this.readProperties();
    if (properties === undefined && this.properties.value.trim() !== "") told = "The model's properties are not a JSON object.";
    if (properties && this.model.value.trim() === "") told = "A model with properties of its own needs a name.";
    this.problem.textContent = told ?? "";
    this.problem.hidden = told === null;
    return told === null;
  }

  /** Let the field of the model offer these names. */
  offerModels({ inMemory, all }) {
    const names = [...inMemory, ...all.filter((name) => !inMemory.includes(name))];
    replace(this.models, names.map((value) => el("option", { value, label: inMemory.includes(value) ? "in memory" : null })));
    if (inMemory.length > 0) this.modelHint.append(` In memory now: ${inMemory.join(", ")}.`);
  }

  /** The body of the request. */
  body() {
    const given = (input, usual) => (input.value === "" || input.value === String(usual) ? undefined : asNumber(input.value));
    const defaults = {
      model: this.model.value.trim() || undefined,
      model_properties: this.readProperties(),
      treat_urls_and_pointers_as_images: this.images.checked || undefined,
      normalize_embeddings: this.normalize.checked ? undefined : false,
      text_preprocessing: pruned({
        split_length: given(this.splitLength, 2),
        split_method: given(this.splitMethod, "sentence"),
        split_overlap: given(this.splitOverlap, 0),
      }),
      ann_parameters: pruned({
        space_type: given(this.distance, "cosinesimil"),
        data_type: given(this.dataType, "float"),
        parameters: pruned({ m: given(this.m, 16), ef_construction: given(this.construction, 128) }),
      }),
    };
    const body = {
      index_defaults: pruned(defaults),
      number_of_shards: given(this.shards, 3),
      number_of_replicas: given(this.replicas, 0),
    };
    return pruned(body) ?? {};
  }

  /** The properties as an object; undefined where there are none, or they are no JSON object. */
  readProperties() {
    try {
      const value = JSON.parse(this.properties.value);
      return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
    } catch {
      return undefined; // told by check()
    }
  }

  build() {
    return el(
      "form",
      { class: "stack", novalidate: true },
      labelled("Name", this.nameInput),
      el("div", { class: "stack" }, labelled("Model", this.model), this.models, this.modelHint),
      checkbox(this.images, "Embed the images that texts point to (by their address)"),
      group("Texts are split", [labelled("every", this.splitLength), labelled("unit", this.splitMethod), labelled("overlap", this.splitOverlap)]),
      el(
        "details",
        { class: "more" },
        el("summary", {}, "More settings"),
        el(
          "div",
          { class: "stack" },
          group("Vectors", [labelled("Distance", this.distance), labelled("Stored in", this.dataType)]),
          checkbox(this.normalize, "Vectors of length 1"),
          group("Search graph", [labelled("m", this.m), labelled("ef_construction", this.construction)]),
          group("Cluster", [labelled("Shards", this.shards), labelled("Replicas", this.replicas)]),
          labelled("Properties of a model that has no row in the table, as JSON", this.properties),
        ),
      ),
      this.problem,
      this.actions,
    );
  }
}

/** The object without what is undefined; undefined where nothing is left. */
function pruned(value) {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function asNumber(value) {
  return /^-?\d+$/.test(value) ? Number(value) : value;
}

function text(attributes) {
  return el("input", { type: "text", id: newId("setting"), autocomplete: "off", spellcheck: "false", ...attributes });
}

function number(value, min) {
  return el("input", { type: "number", id: newId("setting"), value, min });
}

function select(options) {
  return el("select", { id: newId("setting") }, options.map(([value, label]) => el("option", { value }, label)));
}

function labelled(label, input) {
  return el("div", { class: "labelled" }, el("label", { for: input.id }, label), input);
}

function checkbox(input, label) {
  return el("label", { class: "check", for: input.id }, input, label);
}

function group(name, children) {
  const id = newId("group");
  return el("div", { class: "group", role: "group", "aria-labelledby": id }, el("h2", { id }, name), children);
}
