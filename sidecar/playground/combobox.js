/**
 * A text field that suggests what may come next: the combobox pattern of ARIA, with a list under the field.
 *
 *   combobox(input, { suggest, choose, label, signal })
 *     suggest(text, caret)   gives, or promises, a list of { label, hint, value }
 *     choose(suggestion)     puts it into the field; more suggestions follow
 *
 * Arrows go through the list, Enter and Tab take what is chosen there, Escape closes it. Enter without a choice is left
 * to the form.
 */
import { el, newId, replace } from "./dom.js";

/** Make the input a combobox. Returns `{ list, close }`: the list is to be put behind the input, in its box. */
export function combobox(input, { suggest, choose, label, signal }) {
  const box = new Combobox(input, { suggest, choose, label });
  input.addEventListener("input", () => {
    box.select(-1);
    void box.open();
  }, { signal });
  input.addEventListener("click", () => box.open(), { signal });
  input.addEventListener("keydown", (event) => box.press(event), { signal });
  input.addEventListener("blur", () => box.close(), { signal });
  return { parts: [box.list, box.said], close: () => box.close() };
}

class Combobox {
  constructor(input, { suggest, choose, label }) {
    Object.assign(this, { input, suggest, choose, suggestions: [], active: -1, asked: 0 });
    this.list = el("ul", { id: newId("suggestions"), role: "listbox", class: "suggestions", "aria-label": label, hidden: true });
    this.said = el("span", { class: "unseen", role: "status" });
    // A press on the list must not take the focus from the field.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    const attributes = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", autocomplete: "off" };
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
    input.setAttribute("aria-controls", this.list.id);
  }

  async open() {
    this.asked += 1;
    const asked = this.asked;
    const found = await this.suggest(this.input.value, this.input.selectionStart ?? this.input.value.length);
    // Another key was pressed meanwhile, or the reader is elsewhere.
    if (asked !== this.asked || document.activeElement !== this.input) return;
    // An arrow may have gone through the last list while this one was on its way.
    const chosen = this.suggestions[this.active];
    this.suggestions = found;
    this.draw();
    if (chosen) this.select(found.findIndex(({ label, value }) => label === chosen.label && value === chosen.value));
  }

  close() {
    this.asked += 1;
    this.suggestions = [];
    this.draw();
  }

  draw() {
    const { suggestions, list, input } = this;
    this.active = -1;
    replace(list, suggestions.map((suggestion, number) => this.option(suggestion, number)));
    list.hidden = suggestions.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
    this.said.textContent = list.hidden ? "" : `${suggestions.length} suggestions`;
  }

  option({ label, hint }, number) {
    return el(
      "li",
      { id: `${this.list.id}-${number}`, role: "option", "aria-selected": "false", onclick: () => this.take(number) },
      el("span", {}, label),
      hint ? el("span", { class: "hint" }, hint) : null,
    );
  }

  press(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) void this.open();
      else this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if ((event.key === "Enter" || event.key === "Tab") && this.active >= 0) {
      event.preventDefault();
      this.take(this.active);
    } else if (event.key === "Enter") this.close();
  }

  move(step) {
    const count = this.suggestions.length;
    // -1 is the field itself, between the last and the first.
    const places = count + 1;
    this.select(((this.active + 1 + step + places) % places) - 1);
  }

  /** Choose a suggestion by its number, or none by -1. */
  select(number) {
    this.active = number;
    [...this.list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === this.active));
      if (place === this.active) option.scrollIntoView({ block: "nearest" });
    });
    if (this.active < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
  }

  take(number) {
    this.choose(this.suggestions[number]);
    this.select(-1);
    void this.open();
  }
}
