/** The bar on top: where one is, the pages of the index, the key, the theme. */
import { el, replace } from "./dom.js";
import { icon } from "./icons.js";
import { askKey, currentKey } from "./keys.js";
import { addressOf } from "./address.js";
import { themeButton } from "./theme.js";

const PAGES = [
  ["search", "Search"],
  ["about", "About"],
  ["map", "Map"],
  ["add", "Add"],
];

/** Draw the bar for that index (null: none is chosen) and page. */
export function drawBar(bar, { index, page }) {
  replace(
    bar,
    el("a", { class: "brand", href: addressOf(null) }, el("img", { src: "ui/icon.svg", alt: "", width: 22, height: 22 }), "Playground"),
    index === null ? null : el("span", { class: "crumb", title: index }, index),
    index === null ? el("span", { class: "grow" }) : pagesOf(index, page),
    keyButton(),
    themeButton(),
  );
}

function pagesOf(index, current) {
  const links = PAGES.map(([page, label]) =>
    el("a", { href: addressOf(index, page), "aria-current": page === current ? "page" : null }, label),
  );
  return el("nav", { class: "tabs grow", "aria-label": "Pages of the index" }, links);
}

function keyButton() {
  const button = el(
    "button",
    { type: "button", class: "icon-button", "aria-label": "Change the API key", title: "Change the API key" },
    icon("key"),
  );
  const show = () => {
    button.hidden = currentKey() === null;
  };
  button.addEventListener("click", () => askKey("Requests carry this key from now on."));
  document.addEventListener("sidecar:key", show);
  show();
  return button;
}
