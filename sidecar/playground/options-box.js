/** How it is searched: the method, the share of meaning in a hybrid search, and what is needed less often. */
import { el, newId, replace } from "./dom.js";
import { COMPARE, isLike, isSingleText, LIMITS } from "./search-state.js";

const LABELS = { TENSOR: "Meaning", LEXICAL: "Words", HYBRID: "Both", [COMPARE]: "Side by side" };

/** `{ methods, more, draw }`: two elements, and a function to be called when the terms have changed. */
export function optionsBox({ state, fields, onchange }) {
  const choices = Object.entries(LABELS).map(([method, label]) => methodChoice(state, method, label, changed));
  const note = el("p", { class: "hint", role: "status" });
  const alpha = alphaSlider(state, onchange);
  const methods = el(
    "div",
    { class: "row methods" },
    el("div", { class: "segments", role: "radiogroup", "aria-label": "Search by" }, choices.map(({ element }) => element)),
    alpha,
    note,
  );
  const more = moreOptions({ state, fields, onchange });
  function changed() {
    draw();
    onchange();
  }
  function draw() {
    const takesAll = isSingleText(state);
    for (const { input, method } of choices) {
      input.disabled = !takesAll && method !== "TENSOR";
      input.checked = takesAll ? method === state.method : method === "TENSOR";
    }
    alpha.hidden = !takesAll || !(state.method === "HYBRID" || state.method === COMPARE);
    replace(note, takesAll ? null : reason(state));
  }
  draw();
  return { methods, more, draw };
}

function reason(state) {
  return isLike(state) ? "By the vectors stored with the documents." : "Words go with a single text only.";
}

function methodChoice(state, method, label, changed) {
  const input = el("input", { type: "radio", name: "method", value: method });
  input.addEventListener("change", () => {
    state.method = method;
    changed();
  });
  return { input, method, element: el("label", {}, input, el("span", {}, label)) };
}

function alphaSlider(state, onchange) {
  const id = newId("alpha");
  const told = el("output", { for: id, class: "mono" }, state.alpha.toFixed(2));
  const slider = el("input", { id, type: "range", min: 0, max: 1, step: 0.05, value: state.alpha });
  slider.addEventListener("input", () => {
    state.alpha = Number(slider.value);
    told.textContent = state.alpha.toFixed(2);
    onchange();
  });
  const label = el("label", { for: id }, el("span", { class: "unseen" }, "Share of meaning in the search by both (alpha), from "), "words");
  return el("span", { class: "alpha" }, label, slider, el("span", { class: "hint", "aria-hidden": "true" }, "meaning"), told);
}

function moreOptions({ state, fields, onchange }) {
  const searchable = fields.filter((field) => field.embedded || field.type === "text");
  return el(
    "details",
    { class: "more" },
    el("summary", { class: "hint" }, "More options"),
    el(
      "div",
      { class: "row options" },
      fieldChoices(state, searchable, onchange),
      selection("Hits on a page", LIMITS.map((limit) => [limit, String(limit)]), state.limit, (value) => {
        state.limit = Number(value);
        onchange();
      }),
      selection("Both are joined by", [["rrf", "ranks"], ["normalize_linear", "scores"]], state.ranking, (value) => {
        state.ranking = value;
        onchange();
      }),
      check("Compare every vector", state.exact, (isOn) => {
        state.exact = isOn;
        onchange();
      }),
    ),
  );
}

function fieldChoices(state, fields, onchange) {
  const toggle = (name) => (isOn) => {
    state.fields = isOn ? [...state.fields, name] : state.fields.filter((each) => each !== name);
    onchange();
  };
  const boxes = fields.map(({ name }) => check(name, state.fields.includes(name), toggle(name)));
  return el("fieldset", {}, el("legend", { class: "hint" }, "Search in these fields only"), boxes);
}

function check(label, isOn, onchange) {
  const input = el("input", { type: "checkbox", checked: isOn });
  input.addEventListener("change", () => onchange(input.checked));
  return el("label", { class: "check" }, input, label);
}

function selection(label, options, value, onchange) {
  const id = newId("select");
  const select = el("select", { id }, options.map(([key, text]) => el("option", { value: key }, text)));
  select.value = value;
  select.addEventListener("change", () => onchange(select.value));
  return el("span", { class: "option" }, el("label", { for: id }, label), select);
}
