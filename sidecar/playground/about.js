/** The page about an index: how much it holds, its embedded fields and their models, settings, aliases; and its end. */
import { addressOf } from "./address.js";
import { indexPath } from "./api.js";
import { deleteIndex } from "./delete-index.js";
import { el, replace } from "./dom.js";
import { count, moment, size } from "./format.js";
import { icon } from "./icons.js";
import { readDetails } from "./index-details.js";
import { busy, copyButton } from "./notes.js";
import { settingsList } from "./settings-list.js";

/** Draw the page. */
export async function render(container, context) {
  const { index, api, signal, title } = context;
  title(`About ${index}`);
  replace(container, el("h1", {}, index), busy("Asking for the index…"));
  const [details, settings, health] = await Promise.all([
    readDetails(context),
    api.get(indexPath(index, "settings"), { signal }),
    api.get(indexPath(index, "health"), { signal }),
  ]);
  replace(
    container,
    heading(context, details, health),
    facts(details),
    section("Embedded fields", embeddedFields(index, details)),
    section("Settings", settingsList(settings), raw("Settings as JSON", settings)),
    section("Fields of the documents", fieldTypes(details)),
  );
}

function heading(context, details, health) {
  const { index } = context;
  const isAlias = index !== details.index;
  return el(
    "div",
    { class: "index-head" },
    el("div", {}, el("h1", {}, index), isAlias ? el("p", { class: "hint" }, "An alias of ", el("b", {}, details.index), ".") : null),
    pill(health.status),
    el("span", { class: "grow" }),
    el("a", { class: "button", href: addressOf(index, "add") }, icon("plus"), "Add documents"),
    el("button", { type: "button", class: "danger", onclick: () => deleteIndex(context, details) }, "Delete…"),
  );
}

const HEALTH = {
  green: "green: every shard is in its place",
  yellow: "yellow: replicas are missing, or a disk is nearly full",
  red: "red: shards are missing",
};

function pill(status) {
  return el("span", { class: `pill ${status}`, title: HEALTH[status] }, el("span", { class: "unseen" }, "Health: "), status);
}

function facts(details) {
  const { storage } = details;
  const replicas = storage.totalBytes - storage.primaryBytes;
  return el(
    "dl",
    { class: "facts" },
    fact("Documents", count(details.numberOfDocuments)),
    fact("Chunks", count(details.numberOfVectors), "each with a vector"),
    fact("On disk", size(storage.totalBytes), replicas > 0 ? `${size(replicas)} of it in replicas` : null),
    fact("Made", moment(details.createdAt)),
    fact("Aliases", details.aliases.length > 0 ? details.aliases.join(", ") : "none"),
  );
}

function fact(name, value, remarkOnIt = null) {
  return el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, value, remarkOnIt && el("span", { class: "hint" }, remarkOnIt)));
}

function section(name, ...children) {
  return el("section", { class: "card stack" }, el("h2", {}, name), children);
}

function embeddedFields(index, { embeddedFields: fields }) {
  if (fields.length === 0) {
    return el("p", { class: "hint" }, "None yet: the first documents that are added say which fields are embedded.");
  }
  const head = ["Field", "What", "Model", "Dimensions", "Documents", "Chunks", ""];
  return table(
    "Embedded fields and their models",
    head,
    fields.map((entry) => [
      el("b", {}, entry.field),
      entry.kind.replaceAll("_", " "),
      el("code", {}, entry.model),
      number(entry.dimensions),
      number(entry.numberOfDocuments),
      number(entry.numberOfVectors),
      el("a", { href: addressOf(index, "map", { field: entry.field }), "aria-label": `Map of ${entry.field}` }, "Map"),
    ]),
  );
}

function fieldTypes({ fields }) {
  if (fields.length === 0) return el("p", { class: "hint" }, "There are no documents yet.");
  return el("ul", { class: "types" }, fields.map(({ name, type }) => el("li", {}, name, " ", el("span", { class: "hint" }, type))));
}

/** A table that scrolls sideways where it is wider than the page; a cell made by `number` stands to the right. */
function table(caption, head, rows) {
  const cell = (entry) => el("td", { class: entry?.dataset?.number ? "number" : null }, entry);
  return el(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, head.map((name) => (name ? el("th", { scope: "col" }, name) : el("td", {}))))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell)))),
    ),
  );
}

function number(value) {
  return el("span", { "data-number": true }, count(value));
}

function raw(label, value) {
  const text = JSON.stringify(value, null, 2);
  return el("details", {}, el("summary", {}, label), el("div", { class: "code" }, copyButton(label, () => text), el("pre", { tabindex: 0 }, text)));
}
