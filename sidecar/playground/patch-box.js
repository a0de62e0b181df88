/** The part of a picture that won, where an index cuts images into patches: a frame drawn over the picture. */
import { el } from "./dom.js";

/** Draw the frame for a highlight that is a box, `[x1, y1, x2, y2]` in the image's pixels; other highlights are none. */
export function patchBox(holder, highlight) {
  const box = readBox(highlight);
  const image = holder.querySelector("img");
  if (box === null || image === null) return;
  const frame = el("span", { class: "patch", "aria-hidden": "true", hidden: true });
  image.parentElement.append(frame);
  image.addEventListener("load", () => place(frame, image, box));
}

function readBox(highlight) {
  let box = highlight;
  if (typeof highlight === "string" && /^\[[-\d.,\se]+\]$/.test(highlight)) box = JSON.parse(highlight);
  return Array.isArray(box) && box.length === 4 && box.every((number) => typeof number === "number") ? box : null;
}

/** In shares of the whole, so that it stays right when the picture is shown in another size. */
function place(frame, image, [left, top, right, bottom]) {
  const { naturalWidth: width, naturalHeight: height } = image;
  const isWhole = left <= 0 && top <= 0 && right >= width && bottom >= height;
  const share = (part, whole) => `${(part / whole) * 100}%`;
  frame.style.left = share(left, width);
  frame.style.top = share(top, height);
  frame.style.width = share(right - left, width);
  frame.style.height = share(bottom - top, height);
  frame.hidden = isWhole;
}
