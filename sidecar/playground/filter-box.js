/** The field for a filter, which completes names of fields, and their values as the index has them. */
import { api, ApiError, indexPath, isAbort } from "./api.js";
import { combobox } from "./combobox.js";
import { el } from "./dom.js";
import { completed, tokenAt, writtenName, writtenValue } from "./filter-language.js";
import { icon } from "./icons.js";

const MOST = 12;
/** Types whose values are not to be filtered by. */
const HIDDEN_TYPES = new Set(["object", "knn_vector", "nested"]);

/** `{ element, input, set(filter) }`. `onchange(filter)` is called when the reader has written something else. */
export function filterBox({ index, fields, value, onchange, signal }) {
  const input = el("input", {
    id: "filter",
    type: "text",
    value,
    placeholder: "Filter, as field:value",
    spellcheck: "false",
    autocapitalize: "none",
    maxlength: 10000,
  });
  const usable = fields.filter((field) => !HIDDEN_TYPES.has(field.type));
  const { parts } = combobox(input, {
    label: "What the filter may go on with",
    signal,
    suggest: (text, caret) => suggestions(text, caret, { index, fields: usable, signal }),
    choose: (suggestion) => {
      const token = asWritten(input, suggestion.token);
      if (token === null) return;
      const { filter, caret } = completed(input.value, token, suggestion.value);
      input.value = filter;
      input.setSelectionRange(caret, caret);
      onchange(filter);
    },
  });
  input.addEventListener("input", () => onchange(input.value));
  const element = el("div", { class: "filter-box" }, el("label", { for: "filter", class: "unseen" }, "Filter"), icon("filter"), input, parts);
  return { element, input, set: (filter) => void (input.value = filter) };
}

/**
 * A token as it is now, for more of it may have been written since its suggestions were asked for; null where the caret
 * is in another one by now.
 */
function asWritten(input, token) {
  const now = tokenAt(input.value, input.selectionStart ?? input.value.length);
  return now !== null && now.start === token.start && now.field === token.field ? now : null;
}

async function suggestions(text, caret, { index, fields, signal }) {
  const token = tokenAt(text, caret);
  if (token === null) return [];
  if (token.kind === "field") {
    const found = [names(token, fields), connectives(token)];
    return (token.isAfterTerm ? found.reverse() : found).flat().slice(0, MOST);
  }
  const field = fields.find(({ name }) => name === token.field);
  if (!field) return [];
  try {
    const query = new URLSearchParams({ size: String(MOST), contains: token.text.slice(0, 100) });
    const found = await api.get(`${indexPath(index, "fields", field.name, "values")}?${query}`, { signal });
    return found.values ? values(token, found.values) : ranges(token, found, field);
  } catch (error) {
    // What can't be suggested can still be written; a search with it tells what is wrong.
    if (isAbort(error) || error instanceof ApiError) return [];
    throw error;
  }
}

function names(token, fields) {
  const asked = token.text.toLowerCase();
  const rank = ({ name }) => (name.toLowerCase().startsWith(asked) ? 0 : 1);
  return fields
    .filter(({ name }) => name.toLowerCase().includes(asked))
    .sort((one, other) => rank(one) - rank(other))
    .map(({ name, type }) => ({ token, label: name, hint: type, value: `${writtenName(name)}:` }));
}

function connectives(token) {
  const words = token.isAfterTerm ? ["AND", "OR", "AND NOT"] : ["NOT"];
  const asked = token.text.toUpperCase();
  return words.filter((word) => word.startsWith(asked)).map((word) => ({ token, label: word, value: `${word} ` }));
}

function values(token, found) {
  return found.map(({ value, count }) => ({
    token,
    label: String(value),
    hint: `${count.toLocaleString("en")} documents`,
    value: `${writtenValue(value)} `,
  }));
}

function ranges(token, found, field) {
  if (token.text !== "" || found.min === null) return [];
  const least = found.min_as_string ?? found.min;
  const most = found.max_as_string ?? found.max;
  const written = field.type === "date" ? writtenValue : String;
  return [
    { token, label: `${least} to ${most}`, hint: "all there are", value: `[${written(least)} TO ${written(most)}] ` },
    { token, label: `at least ${least}`, hint: "the least", value: `>=${written(least)} ` },
    { token, label: `at most ${most}`, hint: "the greatest", value: `<=${written(most)} ` },
  ];
}
