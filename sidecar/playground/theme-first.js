/**
 * Sets the chosen theme before the page is drawn, so that it does not flash in the other one. Not a module: modules
 * wait for the whole document. See theme.js for the rest.
 */
{
  const chosen = localStorage.getItem("sidecar-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
