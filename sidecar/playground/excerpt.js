/** Texts with parts marked, as pieces `{ text, isMarked }`; and pieces as nodes. */
import { el } from "./dom.js";

const LONGEST_CHUNK = 700;

/**
 * The part of a field's text around the chunk, which is marked: `{ pieces, start, end }`, where start and end are the
 * chunk's place in characters, null where it does not stand in the text as it is.
 */
export function chunkExcerpt(text, chunk, room = 120) {
  const start = typeof text === "string" && chunk.trim() !== "" ? text.indexOf(chunk) : -1;
  const marked = { text: cut(chunk, LONGEST_CHUNK), isMarked: true };
  if (start < 0) return { pieces: [marked], start: null, end: null };
  const end = start + chunk.length;
  const before = lastWords(text.slice(0, start), room);
  const after = cutAtWord(text.slice(end), room);
  return { pieces: [{ text: before, isMarked: false }, marked, { text: after, isMarked: false }], start, end };
}

/** Pieces of a highlight of words, whose words stand between <em> and </em>. */
export function wordPieces(highlight) {
  return highlight
    .split(/(<em>.*?<\/em>)/s)
    .filter((part) => part !== "")
    .map((part) => (part.startsWith("<em>") ? { text: part.slice(4, -5), isMarked: true } : { text: part, isMarked: false }));
}

/** The pieces as nodes, marked ones in <mark>. */
export function marked(pieces) {
  return pieces.filter(({ text }) => text !== "").map(({ text, isMarked }) => (isMarked ? el("mark", {}, text) : text));
}

/** The start of a text that is too long, with the sign for the rest. */
export function cut(text, most) {
  return text.length <= most ? text : `${text.slice(0, most).trimEnd()}…`;
}

function cutAtWord(text, most) {
  if (text.length <= most) return text;
  const part = text.slice(0, most);
  return `${part.slice(0, Math.max(part.lastIndexOf(" "), 1))}…`;
}

function lastWords(text, most) {
  if (text.length <= most) return text;
  const part = text.slice(-most);
  return `…${part.slice(part.indexOf(" ") + 1)}`;
}
