/**
 * Small parts that several pages show: a failure in words, a note, a sign of work in progress, text for screen readers,
 * and a button that copies.
 */
import { el, replace } from "./dom.js";
import { icon } from "./icons.js";

/** A failure, told where it happened; read out at once. */
export function failure(error) {
  const code = error.code ? el("span", { class: "hint" }, ` (${error.code})`) : null;
  return el("div", { class: "note bad", role: "alert" }, icon("warning"), el("p", {}, error.message, code));
}

/** A calm remark, such as that nothing was found. */
export function remark(...children) {
  return el("div", { class: "note" }, el("p", {}, ...children));
}

/** Says that something is being fetched. */
export function busy(text) {
  return el("p", { class: "busy", role: "status" }, el("span", { class: "spinner", "aria-hidden": "true" }), text);
}

/** Text that only screen readers tell. */
export function unseen(text) {
  return el("span", { class: "unseen" }, text);
}

/** A button that copies what `read()` gives; `label` says what that is. */
export function copyButton(label, read) {
  const told = el("span", {}, "Copy");
  const button = el("button", { type: "button", class: "quiet small", "aria-label": `Copy ${label}` }, icon("copy"), told);
  const said = el("span", { class: "unseen", role: "status" });
  button.addEventListener("click", async () => {
    const isDone = await copy(read());
    told.textContent = isDone ? "Copied" : "Press Ctrl+C";
    said.textContent = isDone ? `${label} copied` : "The browser did not allow it";
    replace(button, icon(isDone ? "check" : "copy"), told);
    setTimeout(() => {
      told.textContent = "Copy";
      said.textContent = "";
      replace(button, icon("copy"), told);
    }, 1600);
  });
  return el("span", { class: "copy" }, button, said);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard is there on https and on localhost only; elsewhere the older way still works.
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const area = el("textarea", { class: "unseen", value: text, "aria-hidden": "true", tabindex: -1 });
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}
