/** Addresses of pages: `#/`, `#/INDEX/PAGE?PARAMS`, `#//PAGE` without an index. main.js says which pages there are. */

/** The address of a page; `index` null is the first page, or another one without an index. */
export function addressOf(index, page = index === null ? "" : "search", params = null) {
  if (index === null) return page ? `#//${page}` : "#/";
  const text = params ? new URLSearchParams(params).toString() : "";
  return `#/${encodeURIComponent(index)}/${page}${text ? `?${text}` : ""}`;
}

/** The parts of an address: `index` (null: none), `page` as it is written ("" where it is left out), `params`. */
export function readAddress(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [index = "", page = ""] = path.split("/");
  return { index: index === "" ? null : decoded(index), page, params: new URLSearchParams(query) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % that somebody typed stands for itself.
    return text;
  }
}
