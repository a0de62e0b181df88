/** The first page: the indexes that there are, with how much they hold. */
import { indexPath, isAbort } from "./api.js";
import { el, replace } from "./dom.js";
import { addressOf } from "./address.js";
import { icon } from "./icons.js";
import { busy, failure, remark } from "./notes.js";

/** Draw the page. */
export async function render(container, { api, signal, title }) {
  title("Indexes");
  const heading = el("div", { class: "index-head" }, el("h1", {}, "Indexes"), el("span", { class: "grow" }), newIndex());
  replace(container, heading, busy("Asking for the indexes…"));
  const { results } = await api.get("/indexes", { signal });
  const names = results.map((entry) => entry.index_name).sort();
  const cards = names.map((name) => card(name, { api, signal }));
  replace(container, heading, cards.length ? el("ul", { class: "cards" }, cards) : nothingYet());
}

function newIndex() {
  return el("a", { class: "button", href: addressOf(null, "create") }, icon("plus"), "New index");
}

function nothingYet() {
  return remark(
    "There is no index yet. Make one, or run ",
    el("code", {}, "sidecar demo"),
    ", which indexes the documentation of Python's standard library.",
  );
}

function card(name, { api, signal }) {
  const counts = el("p", { class: "hint" }, " ");
  void Promise.all([
    api.get(indexPath(name, "stats"), { signal }),
    api.get(indexPath(name, "settings"), { signal }),
  ])
    .then(([stats, settings]) => replace(counts, countsOf(stats), el("br"), settings.index_defaults.model))
    .catch((error) => {
      if (!isAbort(error)) replace(counts, failure(error));
    });
  return el("li", { class: "card" }, el("h2", {}, el("a", { class: "cover", href: addressOf(name) }, name)), counts);
}

function countsOf({ numberOfDocuments, numberOfVectors }) {
  const count = (number) => number.toLocaleString("en");
  return `${count(numberOfDocuments)} documents · ${count(numberOfVectors)} vectors`;
}
