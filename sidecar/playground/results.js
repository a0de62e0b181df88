/** The results of one method: its hits in order, or why there are none. A column of its own where there are several. */
import { el, newId, replace } from "./dom.js";
import { hitElement, tellRanks } from "./hit.js";
import { busy, failure, remark } from "./notes.js";

/** What the methods are called. */
export const TITLES = { TENSOR: "Meaning", LEXICAL: "Words", HYBRID: "Both" };

/** A column: `{ element, method, answer, wait(), show(answer, context), fail(error) }`; `answer` is null until there is one. */
export function resultColumn(method, isAlone) {
  const id = newId("column");
  const time = el("span", { class: "hint" });
  const body = el("div", { class: "stack" });
  const head = el("header", { class: isAlone ? "unseen" : "column-head" }, el("h2", { id }, isAlone ? "Results" : TITLES[method]), time);
  const column = { element: el("section", { class: "column", "aria-labelledby": id }, head, body), method, answer: null };
  column.wait = () => replace(body, busy("Searching…"));
  column.fail = (error) => replace(body, failure(error));
  column.show = (answer, context) => {
    column.answer = answer;
    time.textContent = `${answer.processingTimeMs} ms`;
    replace(body, hitList(answer.hits, context));
  };
  return column;
}

/** In several columns, let each hit tell at which rank the others have it. */
export function compareRanks(columns) {
  const answered = columns.filter((column) => column.answer !== null);
  if (answered.length < 2) return;
  for (const column of answered) {
    const others = answered.filter((each) => each !== column);
    for (const article of column.element.querySelectorAll("article")) {
      tellRanks(article, others.map((other) => [other.method, rankIn(other, article.dataset.id)]));
    }
  }
}

/** Arrows go from hit to hit, left and right to the next column; Enter opens a hit's fields; Escape leaves. */
export function listenToKeys(container, { leave, signal }) {
  container.addEventListener("keydown", (event) => pressed(event, container, leave), { signal });
}

/** Put the focus on the first hit, if there is one. */
export function focusFirstHit(container) {
  container.querySelector("article")?.focus();
}

function hitList(hits, context) {
  if (hits.length === 0) return remark("Nothing found.", context.page > 0 ? " This page is past the last hit." : "");
  const best = Math.max(...hits.map((hit) => hit._score));
  const first = context.page * context.limit;
  const articles = hits.map((hit, number) => hitElement(hit, { rank: number + 1, best }, context));
  // Where all there is to see are pictures, they stand beside each other.
  const isGallery = articles.every((article) => article.matches(".with-picture") && !article.querySelector(".excerpt"));
  return el("ol", { class: `hits ${isGallery ? "gallery" : ""}`, start: first + 1 }, articles.map((article) => el("li", {}, article)));
}

function rankIn(column, documentId) {
  const place = column.answer.hits.findIndex((hit) => hit._id === documentId);
  return place < 0 ? null : column.answer.offset + place + 1;
}

function pressed(event, container, leave) {
  const article = event.target.closest("article");
  if (article === null || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") leave();
  else if (event.target !== article) return;
  else if (event.key === "Enter") article.querySelector("[aria-expanded]").click();
  else if (!goTo(neighbour(article, event.key, container), article)) return;
  event.preventDefault();
}

function neighbour(article, key, container) {
  const columns = [...container.querySelectorAll(".column")].map((column) => [...column.querySelectorAll("article")]);
  const across = columns.findIndex((articles) => articles.includes(article));
  const down = columns[across].indexOf(article);
  if (key === "ArrowDown") return columns[across][down + 1];
  if (key === "ArrowUp") return columns[across][down - 1];
  if (key === "Home") return columns[across][0];
  if (key === "End") return columns[across].at(-1);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (step === undefined) return undefined;
  if (columns.length === 1) return columns[0][down + step];
  const other = columns[across + step];
  return other?.[Math.min(down, other.length - 1)];
}

function goTo(next, article) {
  if (next === undefined) return false;
  article.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
  return true;
}
