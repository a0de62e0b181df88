/**
 * The documents of a file that the reader has chosen: lines of JSON, one JSON array, or delimited text with a header.
 * Files are read piece by piece, save for JSON arrays.
 */
import { delimiterOf, records } from "./csv.js";
import { size } from "./format.js";

const LARGEST_ARRAY = 200_000_000;
const HEAD = 65_536;

/** What the file is: { format: "jsonl" | "json" | "csv", delimiter }. By its beginning, and by its name. */
export async function kindOf(file) {
  const head = (await file.slice(0, HEAD).text()).replace(/^\uFEFF/, "").trimStart();
  const delimiter = delimiterOf(head);
  if (/\.(csv|tsv)$/i.test(file.name)) return { format: "csv", delimiter };
  if (head.startsWith("[")) return { format: "json" };
  if (head.startsWith("{")) return { format: isWhole(head.split("\n", 1)[0]) || head.length >= HEAD / 2 ? "jsonl" : "json" };
  return { format: /\.(jsonl|ndjson)$/i.test(file.name) ? "jsonl" : "csv", delimiter };
}

/**
 * The rows of a file: { line, share, document } or { line, share, problem }. `line` is the line where it begins; in an array
 * the number of the entry, from 1. `share` is how much of the file ends with the row, from 0 to 1. Of a line of JSON there
 * is its `text` too, for JavaScript rounds long numbers. Throws where the file can't be read on.
 */
export async function* rowsOf(file, { format, delimiter }) {
  const meter = new Meter(file.size);
  if (format === "json") yield* entriesOf(file);
  else if (format === "csv") yield* recordsOf(textOf(file, meter), delimiter, meter);
  else yield* linesOf(textOf(file, meter), meter);
}

/** Turns characters of a text into a share of its file, by what has been read so far. */
class Meter {
  constructor(size) {
    this.size = size;
    this.bytes = 0;
    this.characters = 0;
  }

  note(bytes, text) {
    this.bytes += bytes;
    this.characters += text.length;
  }

  shareOf(characters) {
    return Math.min(1, (characters * this.bytes) / Math.max(this.characters * this.size, 1));
  }
}

async function* entriesOf(file) {
  if (file.size > LARGEST_ARRAY) {
    throw new Error(
      `${file.name} is ${size(file.size)}; a JSON array of over ${size(LARGEST_ARRAY)} does not fit into the browser. ` +
        "Write one document a line (JSONL), or use sidecar ingest.",
    );
  }
  let value;
  try {
    value = JSON.parse(await file.text());
  } catch (error) {
    throw new Error(`${file.name} is not JSON: ${error.message}`, { cause: error });
  }
  const entries = Array.isArray(value) ? value : [value];
  for (const [place, entry] of entries.entries()) yield { ...checked(entry), line: place + 1, share: (place + 1) / entries.length };
}

async function* linesOf(pieces, meter) {
  let line = 0;
  let end = 0;
  let rest = "";
  for await (const piece of pieces) {
    const parts = (rest + piece).split("\n");
    rest = parts.pop();
    for (const text of parts) {
      line += 1;
      end += text.length + 1;
      if (text.trim() !== "") yield { ...rowOf(text), line, share: meter.shareOf(end) };
    }
  }
  if (rest.trim() !== "") yield { ...rowOf(rest), line: line + 1, share: 1 };
}

function rowOf(text) {
  try {
    return { ...checked(JSON.parse(text)), text: text.trim() };
  } catch (error) {
    return { problem: `not JSON: ${error.message}` };
  }
}

async function* recordsOf(pieces, delimiter, meter) {
  let names = null;
  for await (const { line, end, cells } of records(pieces, delimiter)) {
    if (names === null) names = header(cells);
    else yield { ...documentOf(cells, names), line, share: meter.shareOf(end) };
  }
}

function documentOf(cells, names) {
  if (cells.length > names.length) return { problem: `${cells.length} cells, but the header has ${names.length}` };
  return { document: Object.fromEntries(cells.map((cell, place) => [names[place], cell]).filter(([, cell]) => cell !== "")) };
}

function header(cells) {
  const names = cells.map((cell) => cell.trim());
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw new Error(`The header has the column ${JSON.stringify(twice)} twice.`);
  if (names.includes("")) throw new Error(`Column ${names.indexOf("") + 1} of the header has no name.`);
  return names;
}

function checked(document) {
  const isDocument = typeof document === "object" && document !== null && !Array.isArray(document);
  return isDocument ? { document } : { problem: "not an object, so no document" };
}

function isWhole(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function* textOf(file, meter) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const text = decode(decoder, value, done, file, meter.bytes);
      meter.note(value?.length ?? 0, text);
      yield text;
      if (done) return;
    }
  } finally {
    // Where nobody wants the rest.
    await reader.cancel();
  }
}

function decode(decoder, bytes, isLast, file, read) {
  try {
    return decoder.decode(bytes, { stream: !isLast });
  } catch (error) {
    throw new Error(`${file.name} is not UTF-8, near byte ${read}. Save it with that encoding.`, { cause: error });
  }
}
