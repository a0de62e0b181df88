/**
 * Pictures: those that the reader drops, pastes or chooses, as data: URLs to search by; and those that values of
 * documents stand for.
 */
import { api, indexPath, isAbort } from "./api.js";
import { el, replace } from "./dom.js";

/** Bytes of a file that is sent as it is; a larger one is made smaller first. Models see far fewer pixels. */
const SENT_AS_IT_IS = 300_000;
const LONGEST_SIDE = 768;
const READ_BY_THE_SIDECAR = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);

const ENDING = /\.(jpe?g|png|bmp|webp|gif|tiff?)$/i;
const BASE64_STARTS = { iVBORw0KGg: "png", "/9j/": "jpeg", R0lGOD: "gif", UklGR: "webp" };

/** The first image of what was dropped or pasted: `{ value, label }` of a term, or null. Raises what reading raises. */
export async function imageFrom(transfer) {
  const file = [...transfer.files].find((each) => each.type.startsWith("image/"));
  if (file) return { value: await asDataUrl(file), label: file.name || "pasted image" };
  const address = (transfer.getData("text/uri-list") || transfer.getData("text/plain")).split("\n")[0].trim();
  if (/^data:image\//i.test(address)) return { value: address, label: "image" };
  if (/^https?:\/\/\S+$/i.test(address)) return { value: address, label: address };
  return null;
}

/** Whether what is dragged or pasted may have an image. */
export function mayHaveImage(transfer) {
  return [...transfer.types].some((type) => type === "Files" || type === "text/uri-list");
}

/** The file as a data: URL that the sidecar reads, smaller where it is large. Raises an Error in words. */
export async function asDataUrl(file) {
  if (READ_BY_THE_SIDECAR.has(file.type) && file.size <= SENT_AS_IT_IS) return readAsDataUrl(file);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name || "The file"} is not an image that this browser can read. Use a PNG or a JPEG.`);
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = el("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  const pen = canvas.getContext("2d");
  // As the sidecar does with transparent images.
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg", 0.9);
}

function readAsDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(new Error(`${file.name} can't be read. Is it still there?`)));
    reader.readAsDataURL(file);
  });
}

/**
 * The first picture of a document: `{ field, value, isOnServer }`, or null. `fields` are those of the index
 * (GET /indexes/{index}/fields): only of fields that are embedded as images a path counts.
 */
export function pictureOf(document, fields) {
  const embedded = new Set(fields.filter((field) => field.embedded && field.embedded !== "text").map(({ name }) => name));
  for (const [field, value] of valuesOf(document)) {
    const isImageField = embedded.has(field) || embedded.has(field.split(".")[0]);
    const found = typeof value === "string" ? readPicture(value.trim(), isImageField) : null;
    if (found) return { field, ...found };
  }
  return null;
}

/** Whether a value of a document is a picture rather than a text to read. */
export function isPicture(value) {
  return typeof value === "string" && readPicture(value.trim(), true) !== null;
}

function* valuesOf(document, start = "") {
  for (const [name, value] of Object.entries(document)) {
    if (start === "" && name.startsWith("_")) continue;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) yield* valuesOf(value, `${start}${name}.`);
    else yield [start + name, value];
  }
}

function readPicture(value, isImageField) {
  if (/^data:image\/[\w.+-]+;base64,/i.test(value)) return { value, isOnServer: false };
  if (/^https?:\/\/\S+$/i.test(value)) {
    const isNamed = ENDING.test(value.split(/[?#]/)[0]);
    return isNamed || isImageField ? { value, isOnServer: false } : null;
  }
  const start = Object.keys(BASE64_STARTS).find((each) => value.startsWith(each));
  if (start && value.length > 100 && !/\s/.test(value.slice(0, 100)) && !ENDING.test(value)) {
    return { value: `data:image/${BASE64_STARTS[start]};base64,${value}`, isOnServer: false };
  }
  return isImageField && ENDING.test(value) && value.length < 1000 ? { value, isOnServer: true } : null;
}

/** The <img> of a picture of a document; where it can't be shown, a word in its place. */
export function pictureElement(picture, { index, documentId, alt, signal }) {
  const image = el("img", { alt, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer", draggable: "true" });
  // The inner box is as large as the image: what is drawn over it finds its place there.
  const holder = el("span", { class: "picture" }, el("span", { class: "picture-frame" }, image));
  const fail = () => replace(holder, el("span", { class: "hint" }, "Picture can't be shown"));
  image.addEventListener("error", fail);
  if (!picture.isOnServer) image.src = picture.value;
  else void showServerPicture(image, { index, documentId, field: picture.field, signal }).catch((error) => isAbort(error) || fail());
  return holder;
}

async function showServerPicture(image, { index, documentId, field, signal }) {
  // Asked for by fetch and not by the element, which could not send a key.
  const query = new URLSearchParams({ document: documentId, field });
  const blob = await api.blob(`${indexPath(index, "picture")}?${query}`, { signal });
  image.src = URL.createObjectURL(blob);
  signal.addEventListener("abort", () => URL.revokeObjectURL(image.src));
}
