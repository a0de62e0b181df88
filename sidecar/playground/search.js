/**
 * The search page: the query, how it is searched, a filter, the results, and the request behind them. What is asked is
 * one object (search-state.js), which the parts change; each change of what was asked once is asked again.
 */
import { indexPath, isAbort } from "./api.js";
import { el, replace } from "./dom.js";
import { filterBox } from "./filter-box.js";
import { withTerm } from "./filter-language.js";
import { busy } from "./notes.js";
import { optionsBox } from "./options-box.js";
import { pager } from "./pager.js";
import { requestView } from "./request-view.js";
import { compareRanks, focusFirstHit, listenToKeys, resultColumn, TITLES } from "./results.js";
import { methodsOf, paramsOf, requestOf, spokenTerms, stateOf } from "./search-state.js";
import { termsBox } from "./terms-box.js";

/** Milliseconds without a further change, of a slider or the like, after which it is searched. */
const PAUSE_MS = 250;

/** Draw the page. */
export async function render(container, context) {
  const { index, api, signal, title } = context;
  title(`Search ${index}`);
  replace(container, heading(index), busy("Asking for the index…"));
  const [{ fields }, settings] = await Promise.all([
    api.get(indexPath(index, "fields"), { signal }),
    api.get(indexPath(index, "settings"), { signal }),
  ]);
  const page = new SearchPage(context, fields, settings.index_defaults.treat_urls_and_pointers_as_images);
  page.draw(container);
}

function heading(index) {
  return el("h1", { class: "unseen" }, `Search ${index}`);
}

class SearchPage {
  constructor(context, fields, takesImages) {
    Object.assign(this, { context, fields, state: stateOf(context.params), wasAsked: false, timer: null });
    const { state } = this;
    const { index, signal } = context;
    this.run = new AbortController();
    this.terms = termsBox({ state, takesImages, signal, onchange: (isDone) => this.termsChanged(isDone) });
    this.options = optionsBox({ state, fields, onchange: () => this.changed() });
    this.filter = filterBox({ index, fields, signal, value: state.filter, onchange: (filter) => this.filterWritten(filter) });
    this.columns = el("div", { class: "columns" });
    this.said = el("p", { class: "hint said", role: "status" });
    this.pager = pager((page) => void this.turnTo(page));
    this.request = requestView();
  }

  draw(container) {
    const form = el(
      "form",
      { class: "card query", role: "search", "aria-label": "Search the index" },
      this.terms.element,
      el("div", { class: "row" }, this.options.methods, this.filter.element),
      this.options.more,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.state.page = 0;
      void this.search();
    });
    replace(container, heading(this.context.index), form, this.said, this.columns, this.pager.element, this.request.element);
    this.listen(form);
    const isAsked = [...this.context.params.keys()].some((name) => ["q", "image", "like", "filter"].includes(name));
    if (isAsked) void this.search();
    else replace(this.columns, hint());
    if (!isAsked) this.terms.focus();
  }

  listen(form) {
    const { signal } = this.context;
    listenToKeys(this.columns, { leave: () => this.terms.focus(), signal });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" || event.target.type !== "search") return;
      event.preventDefault();
      focusFirstHit(this.columns);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || isWriting(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.terms.focus();
    }, { signal });
  }

  termsChanged(isDone) {
    this.options.draw();
    if (isDone) this.changed(spokenTerms(this.state)[0].value !== "");
  }

  filterWritten(filter) {
    this.state.filter = filter;
  }

  /** Something but the text has changed: the first page of it is asked for, if it was asked for before or `isNew`. */
  changed(isNew = false) {
    this.state.page = 0;
    clearTimeout(this.timer);
    if (this.wasAsked || isNew) this.timer = setTimeout(() => void this.search(), PAUSE_MS);
  }

  async turnTo(page) {
    this.state.page = page;
    await this.search();
    scrollTo({ top: 0 });
    focusFirstHit(this.columns);
  }

  async search() {
    const { context, state } = this;
    clearTimeout(this.timer);
    this.run.abort();
    this.run = new AbortController();
    const signal = AbortSignal.any([context.signal, this.run.signal]);
    this.wasAsked = true;
    const params = paramsOf(state);
    if (params) context.keep(params);
    const methods = methodsOf(state);
    const columns = methods.map((method) => resultColumn(method, methods.length === 1));
    columns.forEach((column) => column.wait());
    replace(this.columns, columns.map(({ element }) => element));
    this.columns.classList.toggle("several", columns.length > 1);
    this.request.show(methods.map((method) => ({ ...requestOf(context.index, state, method), title: TITLES[method] })));
    this.said.textContent = "Searching…";
    try {
      await Promise.all(columns.map((column) => this.fill(column, signal)));
      this.tell(columns);
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  }

  /** Ask for one column. Raises only that the request was given up: other failures are told in the column. */
  async fill(column, signal) {
    const { context, state, fields } = this;
    const { path, body } = requestOf(context.index, state, column.method);
    try {
      const answer = await context.api.post(path, body, { signal });
      column.show(answer, {
        index: context.index,
        fields,
        signal: context.signal,
        page: state.page,
        limit: state.limit,
        onlike: (id, title) => void this.findLike(id, title),
        onfilter: (term) => this.addFilter(term),
      });
    } catch (error) {
      if (isAbort(error)) throw error;
      column.fail(error);
    }
  }

  tell(columns) {
    compareRanks(columns);
    const answers = columns.map(({ answer }) => answer).filter((answer) => answer !== null);
    const counts = answers.map(({ hits, processingTimeMs }) => `${hits.length} ${hits.length === 1 ? "hit" : "hits"} in ${processingTimeMs} ms`);
    const isFailed = answers.length < columns.length;
    this.said.textContent = columns.length === 1 ? counts[0] ?? "The search failed." : isFailed ? "Not every search has succeeded." : "";
    if (columns.length > 1 && !isFailed) this.said.textContent = `${columns.length} searches side by side`;
    this.pager.show(this.state.page, answers.some(({ hits, limit }) => hits.length === limit));
  }

  async findLike(id, title) {
    this.terms.add({ kind: "document", value: id, label: title, weight: 1 });
    await this.turnTo(0);
  }

  addFilter(term) {
    this.state.filter = withTerm(this.state.filter, term);
    this.filter.set(this.state.filter);
    this.changed();
  }
}

function isWriting(target) {
  return target.closest("input:not([type=range], [type=radio], [type=checkbox]), textarea, select, [contenteditable]") !== null;
}

function hint() {
  const key = (name) => el("kbd", {}, name);
  return el(
    "div",
    { class: "hint start" },
    el("p", {}, "Type and press ", key("Enter"), ", or drop or paste a picture where the index embeds pictures."),
    el("p", {}, key("/"), " goes to the search field, ", key("↓"), " to the hits, ", key("Esc"), " back."),
  );
}
