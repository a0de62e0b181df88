/** An index's settings in words. */
import { el } from "./dom.js";

/** A list of what the settings say; `settings` is the answer of GET /indexes/{index}/settings. */
export function settingsList(settings) {
  const defaults = settings.index_defaults;
  const { ann_parameters: ann, text_preprocessing: text, image_preprocessing: image } = defaults;
  return el(
    "dl",
    { class: "settings" },
    entry("Model", el("code", {}, defaults.model)),
    defaults.search_model === defaults.model ? null : entry("Model of queries", el("code", {}, defaults.search_model)),
    entry("Embeds", defaults.treat_urls_and_pointers_as_images ? "texts, and images by their addresses" : "texts"),
    entry("Texts are split", splitting(text)),
    image.patch_method ? entry("Images are cut by", image.patch_method) : null,
    entry("Vectors", `${defaults.normalize_embeddings ? "length 1" : "as the model gives them"}, ${numbers(ann)}`),
    entry("Distance", DISTANCES[ann.space_type] ?? ann.space_type),
    entry("Search graph", `${ann.name} of ${ann.engine}, m ${ann.parameters.m}, ef_construction ${ann.parameters.ef_construction}`),
    entry("Shards", `${settings.number_of_shards}, ${replicas(settings.number_of_replicas)}`),
  );
}

const DISTANCES = { cosinesimil: "cosine", l2: "Euclidean", innerproduct: "inner product", l1: "Manhattan", linf: "largest difference" };
const UNITS = { sentence: "sentence", word: "word", character: "character", passage: "passage" };

function splitting({ split_length: length, split_method: method, split_overlap: overlap }) {
  const unit = UNITS[method] ?? method;
  const every = length === 1 ? `at each ${unit}` : `every ${length} ${unit}s`;
  return overlap === 0 ? every : `${every}, of which ${overlap} are the last ones of the piece before`;
}

function numbers({ data_type: type, parameters }) {
  const kind = type === "byte" ? "one byte a number" : "four bytes a number";
  return parameters.encoder ? `${kind}, encoded by ${parameters.encoder.name}` : kind;
}

function replicas(number) {
  if (number === 0) return "no replicas";
  return `each with ${number} replica${number === 1 ? "" : "s"}`;
}

function entry(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}
