/**
 * Light or dark: as the system says, until the reader chooses. The choice is kept in localStorage ("sidecar-theme") and
 * stands as data-theme on the root element; style.css does the rest.
 */
import { el, replace } from "./dom.js";
import { icon } from "./icons.js";

const STORED = "sidecar-theme";

/** The button that changes the theme. */
export function themeButton() {
  const button = el("button", { type: "button", class: "icon-button" });
  const show = () => {
    const other = currentTheme() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Use the ${other} theme`);
    button.title = `Use the ${other} theme`;
    replace(button, icon(other === "dark" ? "moon" : "sun"));
  };
  button.addEventListener("click", () => {
    const other = currentTheme() === "dark" ? "light" : "dark";
    localStorage.setItem(STORED, other);
    document.documentElement.dataset.theme = other;
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
  return button;
}

/** "light" or "dark". */
export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
