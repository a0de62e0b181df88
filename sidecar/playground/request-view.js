/** The request behind what is shown, as curl and as Python, each to be copied. */
import { ROOT } from "./api.js";
import { el, newId, replace } from "./dom.js";
import { icon } from "./icons.js";
import { currentKey } from "./keys.js";
import { copyButton } from "./notes.js";
import { asCurl, asPython } from "./request-code.js";

const LANGUAGES = { curl: asCurl, Python: asPython };
/** Characters of one string that are shown; what is copied has all. */
const SHOWN = 400;

/** The closed panel: `{ element, show(requests) }`, where requests are `{ path, body, title }`. */
export function requestView() {
  const holder = el("div", { class: "stack" });
  let language = "curl";
  let shown = [];
  const draw = () => replace(holder, languageChoice(), shown.map((request) => block(request, language)));
  const languageChoice = () =>
    el(
      "div",
      { class: "segments", role: "group", "aria-label": "Language of the request" },
      Object.keys(LANGUAGES).map((name) =>
        el("button", { type: "button", "aria-pressed": String(name === language), onclick: () => choose(name) }, name),
      ),
    );
  const choose = (name) => {
    language = name;
    draw();
    holder.querySelector(`[aria-pressed="true"]`).focus();
  };
  const element = el("details", { class: "card request", hidden: true }, summary(), holder);
  return {
    element,
    show(requests) {
      shown = requests;
      element.hidden = requests.length === 0;
      draw();
    },
  };
}

function summary() {
  return el("summary", {}, icon("code"), "The request as curl and Python");
}

function block({ path, body, title }, language) {
  const write = (content) => LANGUAGES[language]({ url: ROOT + path, body: content, needsKey: currentKey() !== null });
  const id = newId("code");
  return el(
    "figure",
    { class: "request-code" },
    el("figcaption", { id }, title, copyButton(`the request as ${language}`, () => write(body))),
    el("pre", { tabindex: 0, role: "group", "aria-labelledby": id }, el("code", {}, write(shortened(body)))),
  );
}

/** The same with long strings, those of images, cut. */
function shortened(value) {
  if (typeof value === "string") return cut(value);
  if (Array.isArray(value)) return value.map(shortened);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cut(key), shortened(item)]));
}

function cut(text) {
  return text.length <= SHOWN ? text : `${text.slice(0, 60)}… (${text.length.toLocaleString("en")} characters)`;
}
