/** Addresses of pages: `#/`, `#/INDEX/PAGE?PARAMS`. main.js says which pages there are. */

/** The address of a page; `index` null is the first page. */
export function addressOf(index, page = "search", params = null) {
  if (index === null) return "#/";
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
