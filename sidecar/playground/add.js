/** The page that adds documents: from a file, or one by a form. */
import { fileSection } from "./add-file.js";
import { formSection } from "./add-form.js";
import { el, replace } from "./dom.js";
import { readDetails } from "./index-details.js";
import { busy } from "./notes.js";

/** Draw the page. */
export async function render(container, context) {
  const { index, title } = context;
  title(`Add to ${index}`);
  const heading = el("h1", {}, "Add documents to ", index);
  replace(container, heading, busy("Asking for the index…"));
  const details = await readDetails(context);
  replace(container, heading, fileSection(details, context), formSection(details, context));
}
