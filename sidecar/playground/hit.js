/** One hit: its picture, what it is called, the score, the field and chunk that won, and all of its fields. */
import { el, newId } from "./dom.js";
import { chunkExcerpt, cut, marked, wordPieces } from "./excerpt.js";
import { writtenName, writtenValue } from "./filter-language.js";
import { icon } from "./icons.js";
import { isPicture, pictureElement, pictureOf } from "./pictures.js";
import { patchBox } from "./patch-box.js";

const TITLES = ["title", "name", "caption", "headline", "subject", "label", "heading"];
const MOST_FACTS = 5;
const LONGEST_FACT = 40;
const METHOD_NAMES = { TENSOR: "meaning", LEXICAL: "words", HYBRID: "both" };

/**
 * The hit as an <article>. `place` is { rank, best } : its rank from 1 and the best score beside it. `context` has index,
 * fields, signal, onlike(id, title), onfilter(term).
 */
export function hitElement(hit, { rank, best }, context) {
  const title = titleOf(hit);
  const id = newId("hit");
  const picture = pictureOf(hit, context.fields);
  const [fieldsButton, fieldList] = allFields(hit);
  return el(
    "article",
    { class: `hit ${picture ? "with-picture" : ""}`, tabindex: rank === 1 ? 0 : -1, "aria-labelledby": id, "data-id": hit._id },
    picture ? pictureBox(hit, picture, title, context) : null,
    el(
      "div",
      { class: "hit-body" },
      el("header", {}, el("h3", { id }, isWon(hit, title) ? el("mark", {}, title) : title), score(hit, best)),
      won(hit, title),
      el("p", { class: "ranks hint" }),
      el("footer", {}, facts(hit, title, context), el("span", { class: "actions" }, fieldsButton, likeButton(hit, title, context))),
      fieldList,
    ),
  );
}

/** What the document is called: the first short text of a field with such a name, else any, else its id. */
export function titleOf(hit) {
  const shortTexts = Object.entries(hit).filter(
    ([name, value]) => !name.startsWith("_") && typeof value === "string" && value.trim() !== "" && value.length <= 200 && !isPicture(value),
  );
  const named = TITLES.map((title) => shortTexts.find(([name]) => name.toLowerCase() === title)).find(Boolean);
  return (named ?? shortTexts.find(([, value]) => value.length <= 100))?.[1] ?? hit._id;
}

/** Tell at which rank other methods have the same document; `ranks` is a list of [method, rank or null]. */
export function tellRanks(article, ranks) {
  const told = ranks.map(([method, rank]) => `${METHOD_NAMES[method]} ${rank === null ? "–" : `#${rank}`}`);
  article.querySelector(".ranks").textContent = told.join(" · ");
}

function pictureBox(hit, picture, title, { index, signal }) {
  const holder = pictureElement(picture, { index, documentId: hit._id, alt: `Picture of ${title}`, signal });
  patchBox(holder, hit._highlights?.[picture.field.split(".")[0]]);
  return holder;
}

function score(hit, best) {
  const share = best > 0 ? Math.max(0.02, Math.min(1, hit._score / best)) : 0;
  const bar = el("span", { class: "meter", "aria-hidden": "true" }, el("span"));
  bar.firstChild.style.width = `${share * 100}%`;
  const parts = ["_tensor_score", "_lexical_score"].filter((name) => typeof hit[name] === "number");
  const hint = parts.map((name) => `${name === "_tensor_score" ? "meaning" : "words"} ${hit[name].toFixed(3)}`).join(", ");
  return el(
    "span",
    { class: "score" },
    bar,
    el("span", { class: "unseen" }, "Score "),
    el("span", { class: "mono" }, hit._score.toFixed(4)),
    hint ? el("span", { class: "hint" }, hint) : null,
  );
}

/** Whether the chunk that won is the whole title, which is then marked where it stands. */
function isWon(hit, title) {
  const [chunk] = Array.isArray(hit._highlights) ? [] : Object.values(hit._highlights ?? {});
  return chunk === title;
}

/** The field and the chunk that won, and the words that were found. */
function won(hit, title) {
  const ofWords = Array.isArray(hit._highlights) ? {} : hit._lexical_highlights ?? {};
  const entries = Object.entries(Array.isArray(hit._highlights) ? {} : hit._highlights ?? {});
  return [
    ...entries.map(([field, value]) => (Array.isArray(value) ? wordsWon(field, value) : chunkWon(hit, field, value, title))),
    ...Object.entries(ofWords).map(([field, value]) => wordsWon(field, value)),
  ];
}

function chunkWon(hit, field, chunk, title) {
  if (chunk === title) return evidence(field, "the whole of it", null);
  if (isPicture(chunk) || isPicture(hit[field])) return evidence(field, "its picture", null);
  const { pieces, start, end } = chunkExcerpt(hit[field], String(chunk));
  const place = start === null ? "chunk" : `characters ${start + 1}–${end} of ${hit[field].length}`;
  return evidence(field, place, pieces);
}

function wordsWon(field, fragments) {
  const pieces = fragments.flatMap((fragment, number) => [...(number ? [{ text: " … ", isMarked: false }] : []), ...wordPieces(fragment)]);
  return evidence(field, "words", pieces);
}

function evidence(field, place, pieces) {
  return el(
    "div",
    { class: place === "words" ? "evidence of-words" : "evidence" },
    el("p", { class: "hint" }, el("span", { class: "won-field" }, field), ` ${place}`),
    pieces ? el("p", { class: "excerpt" }, marked(pieces)) : null,
  );
}

/** Short values of other fields; a press filters by them. */
function facts(hit, title, { onfilter }) {
  const short = Object.entries(hit).filter(([name, value]) => isFact(name, value, title));
  return short.slice(0, MOST_FACTS).map(([name, value]) =>
    el(
      "button",
      { type: "button", class: "hit-fact", title: "Filter by this", onclick: () => onfilter(`${writtenName(name)}:${writtenValue(value)}`) },
      el("span", { class: "hint" }, name),
      " ",
      String(value),
    ),
  );
}

function isFact(name, value, title) {
  if (name.startsWith("_") || value === title) return false;
  if (typeof value === "number" || typeof value === "boolean") return true;
  return typeof value === "string" && value.trim() !== "" && value.length <= LONGEST_FACT && !isPicture(value);
}

function likeButton(hit, title, { onlike }) {
  return el(
    "button",
    { type: "button", class: "quiet small like", "aria-label": `More like ${title}`, onclick: () => onlike(hit._id, title) },
    icon("like"),
    "More like this",
  );
}

/** The button that opens all fields, and the list that it opens. */
function allFields(hit) {
  const rows = Object.entries(hit).filter(([name]) => !name.startsWith("_") || name === "_id");
  const list = el(
    "dl",
    { id: newId("fields"), class: "all-fields", hidden: true },
    rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, written(value))]),
  );
  const attributes = { type: "button", class: "quiet small", "aria-expanded": "false", "aria-controls": list.id };
  const button = el("button", attributes, "All fields");
  button.addEventListener("click", () => {
    list.hidden = !list.hidden;
    button.setAttribute("aria-expanded", String(!list.hidden));
  });
  return [button, list];
}

function written(value) {
  if (isPicture(value)) return cut(value, 120);
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}
