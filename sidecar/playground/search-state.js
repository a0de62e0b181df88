/**
 * What is asked, as data: the terms and options of the search page, and the requests and addresses made of them.
 *
 *   terms     [{ kind: "text" | "image" | "document", value, label, weight }]: texts and images are searched for;
 *             documents are ids, whose like is searched for
 *   method    "TENSOR", "LEXICAL", "HYBRID", or COMPARE for all three side by side
 *   alpha     the share of meaning in a hybrid search, 0 to 1;  ranking: "rrf" or "normalize_linear"
 *   filter    a filter string;  fields: names of the fields to search in, [] for all
 *   limit     hits on a page;  page: 0 for the first;  exact: compare every vector
 */
import { indexPath } from "./api.js";

export const COMPARE = "COMPARE";
export const METHODS = ["TENSOR", "LEXICAL", "HYBRID", COMPARE];
export const LIMITS = [10, 20, 50];
const RANKINGS = ["rrf", "normalize_linear"];
/** Names in the address of terms by their kind; behind ^ stands their weight. */
const PARAMS = { text: "q", image: "image", document: "like" };
const WEIGHTED = /^(.*)\^(-?\d+(?:\.\d+)?)$/s;
const LONGEST_IN_ADDRESS = 2000;

/** Nothing asked yet. */
export function emptyState() {
  return {
    terms: [textTerm("")],
    method: "TENSOR",
    alpha: 0.5,
    ranking: "rrf",
    filter: "",
    fields: [],
    limit: LIMITS[0],
    page: 0,
    exact: false,
  };
}

/** A term that is a text. */
export function textTerm(value, weight = 1) {
  return { kind: "text", value, label: value, weight };
}

/** The terms that say something: blank texts are left out, unless there is nothing else. */
export function spokenTerms(state) {
  const spoken = state.terms.filter((term) => term.kind !== "text" || term.value.trim() !== "");
  return spoken.length ? spoken : [textTerm("")];
}

/** Whether the terms are documents, whose like is searched for. */
export function isLike(state) {
  return spokenTerms(state)[0].kind === "document";
}

/** Whether the query can be searched for by words: a single text. */
export function isSingleText(state) {
  const [first, ...others] = spokenTerms(state);
  return first.kind === "text" && others.length === 0;
}

/** The methods that are searched by, in the order of their columns. */
export function methodsOf(state) {
  if (!isSingleText(state)) return ["TENSOR"];
  return state.method === COMPARE ? ["LEXICAL", "TENSOR", "HYBRID"] : [state.method];
}

/** The request of one method: `{ path, body }`, to be sent by POST. */
export function requestOf(index, state, method) {
  const body = isLike(state) ? { documents: documentsOf(state) } : { q: queryOf(state), ...methodPart(state, method) };
  Object.assign(body, { limit: state.limit });
  if (state.page > 0) body.offset = state.page * state.limit;
  if (state.filter.trim()) body.filter = state.filter.trim();
  if (state.fields.length) body.searchableAttributes = state.fields;
  if (state.exact && method !== "LEXICAL") body.exact = true;
  return { path: indexPath(index, isLike(state) ? "recommend" : "search"), body };
}

function methodPart(state, method) {
  if (method === "TENSOR") return {};
  const part = { searchMethod: method };
  if (method === "HYBRID") {
    part.hybridParameters = { alpha: state.alpha };
    if (state.ranking !== RANKINGS[0]) part.hybridParameters.rankingMethod = state.ranking;
  }
  return { ...part, lexicalHighlights: true };
}

function queryOf(state) {
  const terms = spokenTerms(state);
  if (terms.length === 1 && terms[0].weight > 0) return terms[0].value;
  return weightsOf(terms);
}

function documentsOf(state) {
  const terms = spokenTerms(state).filter((term) => term.kind === "document");
  return terms.every((term) => term.weight === 1) ? terms.map((term) => term.value) : weightsOf(terms);
}

function weightsOf(terms) {
  const weights = {};
  for (const { value, weight } of terms) weights[value] = (weights[value] ?? 0) + weight;
  return weights;
}

/** The parameters of the address by which the same is asked again; null where an image is too long for it. */
export function paramsOf(state) {
  const params = new URLSearchParams();
  for (const { kind, value, weight } of spokenTerms(state)) {
    if (value.length > LONGEST_IN_ADDRESS) return null;
    const isPlain = weight === 1 && !WEIGHTED.test(value);
    if (value !== "") params.append(PARAMS[kind], isPlain ? value : `${value}^${weight}`);
  }
  const empty = emptyState();
  for (const name of ["method", "alpha", "ranking", "filter", "limit", "page", "exact"]) {
    if (state[name] !== empty[name]) params.set(name, String(state[name]));
  }
  for (const field of state.fields) params.append("field", field);
  return params;
}

/** What an address asks; what can't be understood is left at its default. */
export function stateOf(params) {
  const state = emptyState();
  const read = (kind) => params.getAll(PARAMS[kind]).map((text) => readTerm(kind, text));
  const likes = read("document");
  const terms = likes.length ? likes : [...read("text"), ...read("image")];
  if (terms.length) state.terms = terms;
  const one = (name, allowed) => (allowed.includes(params.get(name)) ? params.get(name) : state[name]);
  state.method = one("method", METHODS);
  state.ranking = one("ranking", RANKINGS);
  state.alpha = numberIn(params.get("alpha"), 0, 1, state.alpha);
  state.limit = numberIn(params.get("limit"), 1, 1000, state.limit);
  state.page = Math.floor(numberIn(params.get("page"), 0, 1e6, 0));
  state.filter = params.get("filter") ?? "";
  state.fields = params.getAll("field");
  state.exact = params.get("exact") === "true";
  return state;
}

function readTerm(kind, text) {
  const match = WEIGHTED.exec(text);
  const value = match ? match[1] : text;
  return { kind, value, label: value, weight: match ? Number(match[2]) : 1 };
}

function numberIn(text, least, most, otherwise) {
  const number = text === null || text === "" ? NaN : Number(text);
  return number >= least && number <= most ? number : otherwise;
}
