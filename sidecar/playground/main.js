/**
 * The shell: reads the address, and lets the page of it draw itself.
 *
 *   #/                    choose.js   choose an index
 *   #//create             create.js   make one
 *   #/INDEX/search        search.js   search it
 *   #/INDEX/about         about.js    settings, counts, storage
 *   #/INDEX/map           map.js      a map of a sample of embeddings
 *   #/INDEX/add           add.js      add documents
 *
 * A page is a module that exports `render(container, context)`; it may be async, and what it throws is shown in its
 * place. `container` is an empty element in <main>. `context` has
 *   index     the name of the index; null on the first pages
 *   params    the URLSearchParams of the address (#/INDEX/search?q=…)
 *   api       see api.js
 *   signal    an AbortSignal that fires when the reader leaves the page: give it to requests and listeners
 *   title     (text) sets the document's title
 *   navigate  (index, page, params) goes to another page
 *   keep      (params) writes the params into the address without drawing the page anew
 * A page has one <h1>.
 */
import { addressOf, readAddress } from "./address.js";
import { api, isAbort } from "./api.js";
import { drawBar } from "./bar.js";
import { el, replace } from "./dom.js";
import { busy, failure } from "./notes.js";

const FIRST_PAGES = {
  choose: () => import("./choose.js"),
  create: () => import("./create.js"),
};
const PAGES = {
  search: () => import("./search.js"),
  about: () => import("./about.js"),
  map: () => import("./map.js"),
  add: () => import("./add.js"),
};

const main = document.getElementById("main");
let leaving = new AbortController();

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { index, page: written, params } = readAddress(location.hash);
  const pages = index === null ? FIRST_PAGES : PAGES;
  const page = Object.hasOwn(pages, written) ? written : Object.keys(pages)[0];
  const container = el("div", { class: `view view-${page}` });
  drawBar(document.getElementById("bar"), { index, page });
  replace(main, busy("Loading…"));
  try {
    const module = await pages[page]();
    if (signal.aborted) return;
    replace(main, container);
    await module.render(container, contextOf({ index, page, params, signal }));
  } catch (error) {
    if (signal.aborted || isAbort(error)) return;
    replace(main, el("h1", { class: "unseen" }, "Something went wrong"), failure(error));
  }
}

function contextOf({ index, page, params, signal }) {
  return {
    index,
    params,
    signal,
    api,
    title: (text) => {
      document.title = `${text} · vector-sidecar`;
    },
    navigate: (toIndex, toPage, toParams) => {
      location.hash = addressOf(toIndex, toPage, toParams);
    },
    keep: (newParams) => history.replaceState(null, "", addressOf(index, page, newParams)),
  };
}

addEventListener("hashchange", () => {
  // The link that skips to the content is no page's address.
  if (location.hash === "#main") return;
  void show();
  main.focus({ preventScroll: true });
});
void show();
