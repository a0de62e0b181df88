/** Deletes an index, after the reader has typed its name. */
import { indexPath } from "./api.js";
import { el, replace } from "./dom.js";
import { counted } from "./format.js";
import { failure } from "./notes.js";

/** Ask, delete, and go to the first page. `details` is the answer of GET /indexes/{index}/details. */
export function deleteIndex({ api, navigate }, details) {
  const { index } = details;
  const input = el("input", { id: "delete-name", type: "text", autocomplete: "off", spellcheck: "false", autofocus: true });
  const button = el("button", { type: "submit", class: "primary danger", disabled: true }, "Delete");
  const told = el("div", {});
  const dialog = el("dialog", { class: "dialog", "aria-labelledby": "delete-title" });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "delete-title" }, `Delete ${index}?`),
    el("p", {}, `${counted(details.numberOfDocuments, "document")} and their embeddings go with it, and cannot be had back.`),
    aliasesOf(details),
    el("label", { for: "delete-name" }, "Type the name of the index to delete it"),
    input,
    told,
    el("div", { class: "row end" }, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Keep it"), button),
  );
  input.addEventListener("input", () => {
    button.disabled = input.value !== index;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (input.value !== index) return;
    button.disabled = true;
    try {
      await api.delete(indexPath(index));
      dialog.close();
      navigate(null);
    } catch (error) {
      button.disabled = false;
      replace(told, failure(error));
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(replace(dialog, form));
  dialog.showModal();
}

function aliasesOf({ aliases }) {
  if (aliases.length === 0) return null;
  return el("p", {}, `So do its aliases: ${aliases.join(", ")}.`);
}
