/**
 * Makes elements. Data of documents only ever becomes text nodes and attribute values here: nothing is parsed as HTML,
 * and the page's policy (require-trusted-types-for) forbids it elsewhere too.
 *
 *   el("button", { type: "button", class: "quiet", onclick: save, disabled: isBusy }, "Save")
 */

/**
 * An element. An attribute that is a function is a listener ("onclick" -> "click"); true stands for a bare attribute;
 * false, null and undefined are left out; "value", "checked" and "indeterminate" are set as properties.
 * Children are nodes, texts, numbers, and lists of these; null, undefined and false are left out.
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** As `el`, for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Put these children in the place of all that the element holds. Returns the element. */
export function replace(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** An id that no other element has. */
export function newId(start) {
  newId.last = (newId.last ?? 0) + 1;
  return `${start}-${newId.last}`;
}

const PROPERTIES = new Set(["value", "checked", "indeterminate"]);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name) && name in element) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
