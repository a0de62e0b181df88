/** The page that makes an index. */
import { addressOf } from "./address.js";
import { indexPath, isAbort } from "./api.js";
import { CreateForm } from "./create-form.js";
import { el, replace } from "./dom.js";
import { copyButton, failure } from "./notes.js";

/** Draw the page. */
export async function render(container, { api, signal, title, navigate }) {
  title("New index");
  const form = new CreateForm();
  const told = el("div", {});
  const json = el("pre", { tabindex: 0, "aria-label": "The request as JSON" });
  const line = el("p", { class: "mono" });
  const show = () => {
    line.textContent = `POST ${indexPath(form.name || "…")}`;
    json.textContent = JSON.stringify(form.body(), null, 2);
  };
  form.element.addEventListener("input", show);
  form.element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!form.check()) return;
    form.setBusy(true);
    replace(told);
    try {
      await api.post(indexPath(form.name), form.body(), { signal });
      navigate(form.name, "add");
    } catch (error) {
      if (isAbort(error)) return;
      replace(told, failure(error));
      form.setBusy(false);
    }
  });
  form.actions.append(el("a", { href: addressOf(null) }, "Back to the indexes"));
  form.element.append(told);
  const code = el("div", { class: "code" }, copyButton("the request", () => json.textContent), json);
  const request = el("div", { class: "card stack" }, el("h2", {}, "The request"), line, code);
  const parts = el("div", { class: "form-and-json" }, el("div", { class: "card" }, form.element), request);
  replace(container, el("h1", {}, "New index"), parts);
  show();
  form.focus();
  form.offerModels(await modelsOf(api, signal));
}

/** The names of the models that there are, those in memory first. */
async function modelsOf(api, signal) {
  const [known, loaded] = await Promise.all([api.get("/v1/models", { signal }), api.get("/models", { signal })]);
  const inMemory = loaded.models.map((model) => model.model_name);
  return { inMemory: [...new Set(inMemory)], all: known.data.map((model) => model.id).sort() };
}
