/**
 * The API key, where the sidecar asks for one: kept in sessionStorage, so that it ends with the tab. `askKey` opens a
 * dialog; several requests that need a key at the same time wait for one and the same dialog.
 */
import { el, replace } from "./dom.js";

const STORED = "sidecar-api-key";
let asked = null;

/** The key that requests carry, or null. */
export function currentKey() {
  return sessionStorage.getItem(STORED);
}

/** Forget the key. */
export function dropKey() {
  sessionStorage.removeItem(STORED);
}

/** Ask the reader for a key. Resolves to true when there is one, to false when the reader gave up. */
export function askKey(reason) {
  asked ??= openDialog(reason).finally(() => {
    asked = null;
  });
  return asked;
}

function openDialog(reason) {
  const input = el("input", { id: "api-key", type: "password", autocomplete: "off", required: true, autofocus: true });
  const dialog = el("dialog", { class: "dialog", "aria-labelledby": "key-title" });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "key-title" }, "API key"),
    el("p", {}, reason),
    el("label", { for: "api-key" }, "Key"),
    input,
    el("p", { class: "hint" }, "It is kept until this tab is closed, and sent to this sidecar only."),
    el(
      "div",
      { class: "row end" },
      el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      el("button", { type: "submit", class: "primary" }, "Use this key"),
    ),
  );
  return new Promise((resolve) => {
    let isGiven = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(STORED, input.value.trim());
      isGiven = true;
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      document.dispatchEvent(new CustomEvent("sidecar:key"));
      resolve(isGiven);
    });
    document.body.append(replace(dialog, form));
    dialog.showModal();
  });
}
