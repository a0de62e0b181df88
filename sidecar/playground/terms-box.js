/**
 * The query: a field for a text, further terms (texts, images, documents), and a slider for the weight of each where
 * there are several. Images come by the button, by a drop anywhere on the page, and by pasting.
 */
import { el, newId, replace } from "./dom.js";
import { icon } from "./icons.js";
import { failure, unseen } from "./notes.js";
import { asDataUrl, imageFrom, mayHaveImage } from "./pictures.js";
import { isLike, textTerm } from "./search-state.js";

/**
 * `{ element, draw, focus, add }`. `state.terms` is changed in place; `onchange(isDone)` follows: isDone where the
 * change is to be searched for now, and is not a letter of many. `takesImages`: whether the index embeds images.
 */
export function termsBox({ state, onchange, takesImages, signal }) {
  const box = new TermsBox({ state, onchange, takesImages });
  if (!signal.aborted) box.listen(signal);
  box.draw();
  return box;
}

class TermsBox {
  constructor({ state, onchange, takesImages }) {
    Object.assign(this, { state, onchange, takesImages });
    this.rows = el("ul", { class: "terms" });
    this.problem = el("div");
    this.file = el("input", { type: "file", accept: "image/*", hidden: true, "aria-hidden": "true", tabindex: -1 });
    this.file.addEventListener("change", () => void this.takeFile());
    this.buttons = el("div", { class: "term-buttons" });
    this.element = el("div", { class: "terms-box" }, this.rows, this.buttons, this.problem, this.file);
  }

  listen(signal) {
    document.addEventListener("dragover", (event) => this.dragOver(event), { signal });
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && this.showDrop(false), { signal });
    document.addEventListener("drop", (event) => void this.drop(event), { signal });
    document.addEventListener("paste", (event) => void this.paste(event), { signal });
  }

  draw() {
    const { terms } = this.state;
    const isMixture = terms.length > 1;
    replace(this.rows, terms.map((term, number) => this.row(term, number, isMixture)));
    replace(this.buttons, isLike(this.state) ? null : this.actions());
    this.element.classList.toggle("mixed", isMixture);
  }

  /** Put the caret into the first text, or the focus on what else there is. */
  focus() {
    const input = this.rows.querySelector("input[type=search]");
    input?.select();
    (input ?? this.rows.querySelector("button, input"))?.focus();
  }

  /** Add a term: in the place of a text that is still blank, else as one more. Documents and others do not mix. */
  add(term) {
    const isDocument = term.kind === "document";
    const kept = this.state.terms.filter((each) => !isBlank(each) && (each.kind === "document") === isDocument);
    const has = kept.some((each) => each.kind === term.kind && each.value === term.value);
    this.set(has ? kept : [...kept, term], true);
  }

  set(terms, isDone) {
    this.state.terms = terms.length ? terms : [textTerm("")];
    if (this.state.terms.length === 1) this.state.terms[0].weight = 1;
    replace(this.problem);
    this.draw();
    this.onchange(isDone);
  }

  row(term, number, isMixture) {
    const content = term.kind === "text" ? this.textInput(term, number) : this.chip(term);
    const weight = isMixture ? this.weight(term) : null;
    const remove = isMixture || term.kind !== "text" ? this.removeButton(term) : null;
    const row = el("li", { class: "term" }, content, weight, remove);
    nameParts(row, term);
    content.addEventListener("input", () => nameParts(row, term));
    return row;
  }

  textInput(term, number) {
    const input = el("input", {
      type: "search",
      value: term.value,
      placeholder: number === 0 ? "Search by meaning, words or picture" : "And this",
      "aria-label": number === 0 ? "Search for" : `Search for, part ${number + 1}`,
      "aria-keyshortcuts": number === 0 ? "/" : null,
      autocomplete: "off",
      enterkeyhint: "search",
    });
    input.addEventListener("input", () => {
      term.value = input.value;
      term.label = input.value;
      this.onchange(false);
    });
    return input;
  }

  chip(term) {
    const picture = term.kind === "image" ? el("img", { src: term.value, alt: "", referrerpolicy: "no-referrer" }) : icon("like");
    const kind = term.kind === "image" ? "Image: " : "Like: ";
    return el("span", { class: `chip ${term.kind}` }, picture, el("span", { class: "chip-label" }, unseen(kind), term.label));
  }

  weight(term) {
    const id = newId("weight");
    const told = el("output", { for: id, class: "mono" }, term.weight.toFixed(1));
    const slider = el("input", { id, type: "range", min: -1, max: 2, step: 0.1, value: term.weight });
    slider.addEventListener("input", () => {
      term.weight = Number(slider.value);
      told.textContent = term.weight.toFixed(1);
      this.onchange(true);
    });
    return el("span", { class: "weight" }, slider, told);
  }

  removeButton(term) {
    return el("button", { type: "button", class: "icon-button", title: "Remove", onclick: () => this.remove(term) }, icon("close"));
  }

  remove(term) {
    this.set(this.state.terms.filter((each) => each !== term), true);
    this.focus();
  }

  actions() {
    const mix = el("button", { type: "button", class: "quiet", title: "Add a part with a weight of its own" }, icon("plus"), "Mix");
    mix.addEventListener("click", () => {
      this.set([...this.state.terms, textTerm("")], false);
      [...this.rows.querySelectorAll("input[type=search]")].at(-1).focus();
    });
    const image = el("button", { type: "button", class: "quiet", onclick: () => this.file.click() }, icon("image"), "Image");
    image.title = "Search by an image: choose, drop or paste one";
    const submit = el("button", { type: "submit", class: "primary" }, icon("search"), "Search");
    return [mix, this.takesImages ? image : null, submit];
  }

  async takeFile() {
    const [file] = this.file.files;
    this.file.value = "";
    if (file) await this.addImage(async () => ({ value: await asDataUrl(file), label: file.name }));
  }

  dragOver(event) {
    if (!mayHaveImage(event.dataTransfer)) return;
    event.preventDefault();
    this.showDrop(true);
  }

  async drop(event) {
    this.showDrop(false);
    if (!mayHaveImage(event.dataTransfer)) return;
    event.preventDefault();
    await this.addImage(() => imageFrom(event.dataTransfer));
  }

  async paste(event) {
    const hasFile = [...event.clipboardData.files].some((file) => file.type.startsWith("image/"));
    if (!hasFile) return;
    event.preventDefault();
    await this.addImage(() => imageFrom(event.clipboardData));
  }

  async addImage(read) {
    try {
      if (!this.takesImages) throw new Error("This index embeds texts only; it can't be searched by images.");
      const found = await read();
      if (!found) throw new Error("There is no image in this. Drop an image file, or an image of a page.");
      this.add({ kind: "image", weight: 1, ...found });
    } catch (error) {
      replace(this.problem, failure(error));
    }
  }

  showDrop(isOver) {
    document.body.classList.toggle("dropping", isOver);
  }
}

/** Let a row's slider and button say which term they are of. */
function nameParts(row, term) {
  const name = term.label || "this part";
  row.querySelector("input[type=range]")?.setAttribute("aria-label", `Weight of ${name}`);
  row.querySelector("button")?.setAttribute("aria-label", `Remove ${name}`);
}

function isBlank(term) {
  return term.kind === "text" && term.value.trim() === "";
}
