/** The way to the next page and back. How many pages there are is not known: a short one is the last. */
import { el, replace } from "./dom.js";
import { icon } from "./icons.js";

/** `{ element, show(page, hasMore) }`; `onpage(page)` is called with the page to go to. */
export function pager(onpage) {
  const element = el("nav", { class: "row pager", "aria-label": "Pages of results", hidden: true });
  return {
    element,
    show(page, hasMore) {
      element.hidden = page === 0 && !hasMore;
      replace(
        element,
        el("button", { type: "button", disabled: page === 0, onclick: () => onpage(page - 1) }, icon("left"), "Previous"),
        el("span", { class: "hint" }, `Page ${page + 1}`),
        el("button", { type: "button", disabled: !hasMore, onclick: () => onpage(page + 1) }, "Next", icon("right")),
      );
    },
  };
}
