/** What is asked of an index by several pages. */
import { indexPath } from "./api.js";

/**
 * The answer of GET /indexes/{index}/details, and under `fields` those of the documents, as GET /indexes/{index}/fields
 * has them: { name, type, embedded, model }.
 */
export async function readDetails({ api, index, signal }) {
  const [details, { fields }] = await Promise.all([
    api.get(indexPath(index, "details"), { signal }),
    api.get(indexPath(index, "fields"), { signal }),
  ]);
  return { ...details, fields };
}
