/**
 * What stands at the caret of a filter that is being written, in Lucene's query syntax: enough of it to complete names
 * and values. What it does not understand it does not complete; the sidecar alone says what a filter means.
 */

const SPECIAL = /[+\-&|!(){}[\]^"~*?:\\/\s]/g;
const PLAIN_VALUE = /^[\p{L}\p{N}_][\p{L}\p{N}_.]*$/u;
const WORDS = new Set(["AND", "OR", "NOT", "TO"]);

/**
 * The token that the caret ends: `{ kind, field, text, start, end }`, or null where nothing can be completed.
 *   kind "field": a name is being written;  kind "value": a value of `field` is
 *   text: what is written of it so far, without quotes and escapes;  start, end: what a completion replaces
 *   isAfterTerm: a name, before which a whole term stands, so that AND, OR and NOT may come too
 */
export function tokenAt(filter, caret) {
  const scan = scanned(filter.slice(0, caret));
  if (scan.isInRange) return null;
  const written = filter.slice(scan.start, caret);
  const kind = scan.field === null ? "field" : "value";
  const text = plain(written.replace(kind === "value" ? /^(?:[<>]=?)?"?/ : /^[+\-!]/, ""));
  const start = kind === "value" ? scan.start : scan.start + /^[+\-!]?/.exec(written)[0].length;
  return { kind, field: scan.field, text, start, end: tokenEnd(filter, caret, scan.isInQuotes), isAfterTerm: scan.hasTerm };
}

/** The filter with the token replaced, and where the caret then is: `{ filter, caret }`. */
export function completed(filter, token, replacement) {
  const start = filter.slice(0, token.start) + replacement;
  const rest = filter.slice(token.end);
  return { filter: start + (replacement.endsWith(" ") ? rest.trimStart() : rest), caret: start.length };
}

/** A field's name as it is written in a filter. */
export function writtenName(name) {
  return name.replace(SPECIAL, "\\$&");
}

/** A value as it is written in a filter, quoted where it must be. */
export function writtenValue(value) {
  if (typeof value !== "string") return String(value);
  if (PLAIN_VALUE.test(value) && !WORDS.has(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** The filter, and this term too: in parentheses where it has an OR. */
export function withTerm(filter, term) {
  const given = filter.trim();
  if (given === "") return term;
  return `${/\bOR\b/.test(given) ? `(${given})` : given} AND ${term}`;
}

function plain(text) {
  return text.replace(/\\(.)/gs, "$1");
}

/** Where in the filter its end is: inside which field's value, in quotes, in a range, and where the token starts. */
function scanned(text) {
  const at = { start: 0, field: null, isInQuotes: false, isInRange: false, isInGroup: false, hasTerm: false };
  for (let place = 0; place < text.length; place += 1) {
    const character = text[place];
    if (character === "\\") place += 1;
    else if (at.isInQuotes) at.isInQuotes = character !== '"';
    else if (at.isInRange) at.isInRange = !"]}".includes(character);
    else step(at, character, place, text);
  }
  return at;
}

function step(at, character, place, text) {
  if (character === '"') at.isInQuotes = true;
  else if ("[{".includes(character)) at.isInRange = true;
  else if (character === ":" && at.field === null) {
    at.field = plain(text.slice(at.start, place).replace(/^[+\-!]/, ""));
    at.start = place + 1;
  } else if (character === "(") {
    at.isInGroup = at.field !== null;
    at.start = place + 1;
  } else if (character === ")" || /\s/.test(character)) endToken(at, character, text.slice(at.start, place), place);
}

function endToken(at, character, written, place) {
  const isWord = WORDS.has(written);
  if (written !== "" || character === ")") at.hasTerm = !isWord;
  at.start = place + 1;
  if (character === ")" || !at.isInGroup) {
    at.field = null;
    at.isInGroup = false;
  }
}

function tokenEnd(filter, caret, isInQuotes) {
  if (isInQuotes) {
    const close = filter.indexOf('"', caret);
    return close < 0 ? filter.length : close + 1;
  }
  const rest = /^[^\s():]*/.exec(filter.slice(caret))[0];
  return caret + rest.length;
}
