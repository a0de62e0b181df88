/** The map as a table: what cannot be seen can be read here. */
import { el } from "./dom.js";
import { count, plain } from "./format.js";

const PAGE = 50;

/** A table of the points, a page at a time; `onChosen(number)` is told of the row whose document is asked for. */
export function pointTable(points, attribute, onChosen) {
  const body = el("tbody", {});
  const more = el("button", { type: "button", class: "small" });
  let shown = 0;
  const show = () => {
    const first = shown;
    const rows = points.slice(first, first + PAGE).map((point, place) => row(point, attribute, () => onChosen(first + place)));
    body.append(...rows);
    shown += rows.length;
    more.hidden = shown >= points.length;
    more.textContent = `Show ${Math.min(PAGE, points.length - shown)} more of ${count(points.length - shown)}`;
    return rows[0];
  };
  // The focus goes on to the first new row, not to the end of a list that has grown.
  more.addEventListener("click", () => show()?.querySelector("button")?.focus());
  show();
  const heads = ["Document", "Text", attribute, "Across", "Up"].filter(Boolean);
  return el(
    "div",
    { class: "stack" },
    el(
      "div",
      { class: "wide", tabindex: 0, role: "region", "aria-label": "Points of the map" },
      el(
        "table",
        {},
        el("caption", { class: "unseen" }, "Points of the map"),
        el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col" }, name)))),
        body,
      ),
    ),
    more,
  );
}

function row(point, attribute, choose) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("button", { type: "button", class: "link", onclick: choose }, point._id)),
    el("td", { class: "text" }, point.text ?? ""),
    attribute ? el("td", {}, plain(point.attribute)) : null,
    el("td", { class: "number" }, point.x.toFixed(3)),
    el("td", { class: "number" }, point.y.toFixed(3)),
  );
}
