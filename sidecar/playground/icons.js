/** Small line drawings of 24 by 24, drawn in the text's colour. They are decoration: the control beside them is named. */
import { svg } from "./dom.js";

const PATHS = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M20 20l-4-4",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  like: "M9 7a5 5 0 1 0 0 10A5 5 0 0 0 9 7M15 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19",
  moon: "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z",
  key: "M15 4a5 5 0 1 0-4.6 7L4 17.4V20h3v-2h2v-2h2l1.6-1.6A5 5 0 0 0 15 4M16 8h.01",
  left: "M14.5 6l-6 6 6 6",
  right: "M9.5 6l6 6-6 6",
  filter: "M4 5h16l-6 7.5V19l-4-2v-4.5z",
  code: "M8.5 7L3.5 12l5 5M15.5 7l5 5-5 5",
  columns: "M4 5h16v14H4zM9.3 5v14M14.6 5v14",
  warning: "M12 4L2.5 20h19zM12 10v4.5M12 17.4v.01",
};

/** The drawing of that name. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
