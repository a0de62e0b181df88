/** The fields of a file's documents: what they hold, and how the texts of a CSV file become values. */
import { rowsOf } from "./rows.js";

const SAMPLE = 200;
const NUMBER = /^-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d+)?$/;
const TRUTHS = { true: true, false: false };

/** The first rows of a file, and the fields that they have: { rows, fields: [{ name, example, kind }] }. */
export async function lookInto(file, kind) {
  const rows = [];
  for await (const row of rowsOf(file, kind)) {
    rows.push(row);
    if (rows.length >= SAMPLE) break;
  }
  const values = new Map();
  for (const { document } of rows) {
    for (const [name, value] of Object.entries(document ?? {})) {
      if (!values.has(name)) values.set(name, []);
      if (value !== null) values.get(name).push(value);
    }
  }
  const fields = [...values].map(([name, found]) => ({ name, example: found[0], kind: kindOfValues(name, found) }));
  return { rows, fields };
}

function kindOfValues(name, values) {
  if (name === "_id") return "text";
  if (values.every((value) => typeof value === "number" || (typeof value === "string" && NUMBER.test(value)))) return "number";
  if (values.every((value) => typeof value === "boolean" || Object.hasOwn(TRUTHS, value))) return "truth";
  return values.every((value) => typeof value === "string") ? "text" : "other";
}

const NUMBERS = new Set(["long", "integer", "short", "byte", "double", "float", "half_float", "unsigned_long"]);

/** The kind of value that a field of OpenSearch's type holds; null where it is none of these. */
export function kindOfType(type) {
  if (NUMBERS.has(type)) return "number";
  return { text: "text", keyword: "text", date: "text", boolean: "truth" }[type] ?? null;
}

/** A text as a value of that kind; where it is none, the text, of which the index will tell. */
export function valueOf(text, kind) {
  if (kind === "number" && NUMBER.test(text)) return Number(text);
  if (kind === "truth" && Object.hasOwn(TRUTHS, text)) return TRUTHS[text];
  return text;
}
